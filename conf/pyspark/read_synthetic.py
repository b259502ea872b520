"""Reads a trained model as a table, from PySpark alone: no Java, no files in between.

    spark-submit --jars safe-synthesizer-job.jar conf/pyspark/read_synthetic.py s3a://bucket/synthetic/RUN 1000
"""

import sys

from pyspark.sql import SparkSession

run_folder, num_records = sys.argv[1], int(sys.argv[2])
spark = SparkSession.builder.appName("synthetic rows").getOrCreate()
rows = (
    spark.read.format("safesynth")
    .option("model", run_folder)
    .option("num_records", num_records)
    .option("seed", 7)  # the same seed gives the same rows on any cluster
    .load()
)
rows.show(5, truncate=False)
print(rows.count(), "rows")
spark.stop()
