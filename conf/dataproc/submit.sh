#!/usr/bin/env bash
# Safe Synthesizer as a batch of Google Cloud's Serverless for Apache Spark (Dataproc), runtime 3.0, which is Spark 4.0;
# 2.x are Spark 3.5. The run's id is the day, so that a repeated batch resumes.
#
#   mvn -DskipTests package && gcloud storage cp spark-job/target/safe-synthesizer-job.jar gs://bucket/jars/
#
# On a Dataproc cluster whose image has Spark 4: gcloud dataproc jobs submit spark --cluster NAME, with the same
# --class, --jars, --properties and arguments.
set -euo pipefail
properties=(
  spark.executor.cores=4
  spark.executor.memory=4g
  spark.executor.memoryOverhead=4g
  spark.speculation=false
  spark.executorEnv.OMP_WAIT_POLICY=PASSIVE
  spark.executorEnv.OPENBLAS_NUM_THREADS=1
)
command=(
  gcloud dataproc batches submit spark
  --region europe-west1
  --version 3.0
  --class org.safesynth.job.Main
  --jars gs://bucket/jars/safe-synthesizer-job.jar
  --properties "$(IFS=, && echo "${properties[*]}")"
  --
  run --config gs://bucket/conf/synthesis.yaml
  --data-source gs://bucket/private/customers
  --artifact-path gs://bucket/synthetic
  --run-id "customers-$(date -u +%Y-%m-%d)"
)
"${command[@]}"
