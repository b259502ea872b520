#!/usr/bin/env bash
# Safe Synthesizer on Kubernetes by spark-submit in cluster mode. The image is Spark's own with the jar and the object
# store's connector in it; the run's id is the day, so that a repeated submission resumes.
#
#   FROM spark:4.0.2-scala2.13-java17-ubuntu
#   COPY safe-synthesizer-job.jar /opt/safe-synthesizer/
#   COPY hadoop-aws-3.4.1.jar aws-sdk-*.jar spark-hadoop-cloud_2.13-4.0.2.jar /opt/spark/jars/
#
# The executor that trains is whole: give executors the cores of a machine. Model and libtorch live outside the heap,
# which is the memory overhead. Keys come from the service account or a secret, never from a --conf.
set -euo pipefail
command=(
  spark-submit --master k8s://https://kubernetes.example:6443 --deploy-mode cluster
  --name safe-synthesizer
  --class org.safesynth.job.Main
  --driver-memory 2g
  --executor-memory 2g
  --executor-cores 4
  --num-executors 4
  --conf spark.kubernetes.namespace=synthesis
  --conf spark.kubernetes.container.image=registry.example/safe-synthesizer:1
  --conf spark.kubernetes.authenticate.driver.serviceAccountName=spark
  --conf spark.executor.memoryOverhead=2g
  --conf spark.driver.memoryOverhead=1g
  --conf spark.speculation=false
  --conf spark.executorEnv.OMP_WAIT_POLICY=PASSIVE
  --conf spark.executorEnv.OPENBLAS_NUM_THREADS=1
  --conf spark.hadoop.fs.s3a.committer.name=magic
  --conf spark.hadoop.fs.s3a.committer.magic.enabled=true
  --conf spark.sql.sources.commitProtocolClass=org.apache.spark.internal.io.cloud.PathOutputCommitProtocol
  --conf spark.sql.parquet.output.committer.class=org.apache.spark.internal.io.cloud.BindingParquetOutputCommitter
  local:///opt/safe-synthesizer/safe-synthesizer-job.jar
  run --config s3a://bucket/conf/synthesis.yaml
  --data-source s3a://bucket/private/customers
  --artifact-path s3a://bucket/synthetic
  --run-id "customers-$(date -u +%Y-%m-%d)"
)
"${command[@]}"
