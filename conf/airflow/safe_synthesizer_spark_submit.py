"""Safe Synthesizer by spark-submit, once a day.

A run's folder is named after the DAG run's id: a retried task finds the unfinished run and resumes it, and a
cleared task of a finished run fails with a sentence instead of writing a second table.
"""

import pendulum
from airflow import DAG
from airflow.providers.apache.spark.operators.spark_submit import SparkSubmitOperator

with DAG(
    dag_id="safe_synthesizer_spark_submit",
    start_date=pendulum.datetime(2026, 1, 1, tz="UTC"),
    schedule="@daily",
    catchup=False,
    max_active_runs=1,
    default_args={"retries": 2, "retry_delay": pendulum.duration(minutes=5)},
    tags=["synthetic-data"],
) as dag:
    SparkSubmitOperator(
        task_id="synthesize",
        conn_id="spark_default",
        application="s3a://bucket/jars/safe-synthesizer-job.jar",
        java_class="org.safesynth.job.Main",
        conf={
            "spark.speculation": "false",
            "spark.executor.memory": "2g",
            "spark.executor.memoryOverhead": "2g",  # the model and libtorch live outside the heap
            "spark.executorEnv.OMP_WAIT_POLICY": "PASSIVE",
            "spark.executorEnv.OPENBLAS_NUM_THREADS": "1",
        },
        application_args=[
            "run",
            "--config",
            "s3a://bucket/conf/synthesis.yaml",
            "--data-source",
            "s3a://bucket/private/customers",
            "--artifact-path",
            "s3a://bucket/synthetic",
            "--run-id",
            "customers-{{ run_id }}",
        ],
    )
