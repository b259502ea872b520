#!/usr/bin/env bash
# Safe Synthesizer as a step of a running Amazon EMR cluster of a release with Spark 4 (emr-spark-8.0 or later; the 7.x
# releases are Spark 3.5). CLUSTER is the cluster's id; the run's id is the day, so that a repeated step resumes.
#
#   mvn -DskipTests package && aws s3 cp spark-job/target/safe-synthesizer-job.jar s3://bucket/jars/
#
# EMR's own S3 connector reads and writes s3:// paths; its committer needs no settings.
set -euo pipefail
: "${CLUSTER:?the id of the cluster, j-...}"
step=(
  spark-submit --master yarn --deploy-mode cluster
  --class org.safesynth.job.Main
  --driver-memory 2g
  --executor-memory 2g
  --executor-cores 4
  --conf spark.executor.memoryOverhead=2g
  --conf spark.driver.memoryOverhead=1g
  --conf spark.speculation=false
  --conf spark.dynamicAllocation.minExecutors=0
  --conf spark.executorEnv.OMP_WAIT_POLICY=PASSIVE
  --conf spark.executorEnv.OPENBLAS_NUM_THREADS=1
  s3://bucket/jars/safe-synthesizer-job.jar
  run --config s3://bucket/conf/synthesis.yaml
  --data-source s3://bucket/private/customers
  --artifact-path s3://bucket/synthetic
  --run-id "customers-$(date -u +%Y-%m-%d)"
)
arguments=$(IFS=, && echo "${step[*]}")
aws emr add-steps --cluster-id "$CLUSTER" \
  --steps "Type=CUSTOM_JAR,Name=safe-synthesizer,ActionOnFailure=CONTINUE,Jar=command-runner.jar,Args=[$arguments]"
