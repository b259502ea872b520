"""Safe Synthesizer as a Databricks run on a job cluster, once a day.

A run's folder is named after the DAG run's id: a retried task finds the unfinished run and resumes it.
"""

import pendulum
from airflow import DAG
from airflow.providers.databricks.operators.databricks import DatabricksSubmitRunOperator

VOLUME = "/Volumes/main/synthesis"

with DAG(
    dag_id="safe_synthesizer_databricks",
    start_date=pendulum.datetime(2026, 1, 1, tz="UTC"),
    schedule="@daily",
    catchup=False,
    max_active_runs=1,
    default_args={"retries": 2, "retry_delay": pendulum.duration(minutes=5)},
    tags=["synthetic-data"],
) as dag:
    DatabricksSubmitRunOperator(
        task_id="synthesize",
        databricks_conn_id="databricks_default",
        run_name="safe-synthesizer",
        tasks=[
            {
                "task_key": "run",
                "spark_jar_task": {
                    "main_class_name": "org.safesynth.job.Main",
                    "parameters": [
                        "run",
                        "--config",
                        f"{VOLUME}/conf/synthesis.yaml",
                        "--data-source",
                        "table:main.sales.customers",
                        "--artifact-path",
                        f"{VOLUME}/runs",
                        "--run-id",
                        "customers-{{ run_id }}",
                    ],
                },
                "libraries": [{"jar": f"{VOLUME}/jars/safe-synthesizer-job.jar"}],
                "new_cluster": {
                    "spark_version": "17.3.x-scala2.13",
                    "node_type_id": "m6i.2xlarge",
                    "num_workers": 2,
                    "data_security_mode": "SINGLE_USER",
                    "spark_conf": {"spark.speculation": "false"},
                    "spark_env_vars": {"OMP_WAIT_POLICY": "PASSIVE", "OPENBLAS_NUM_THREADS": "1"},
                },
            }
        ],
    )
