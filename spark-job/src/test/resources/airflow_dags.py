"""Loads a folder of DAGs as Airflow does and fails when one cannot be imported, has a cycle or no retries."""

import sys

try:
    from airflow.dag_processing.dagbag import DagBag
except ImportError:  # before Airflow 3
    from airflow.models import DagBag

bag = DagBag(dag_folder=sys.argv[1])
if bag.import_errors:
    sys.exit(f"DAGs that cannot be imported: {bag.import_errors}")
for dag in bag.dags.values():
    dag.check_cycle()
    for task in dag.tasks:
        if task.retries < 1:
            sys.exit(f"{dag.dag_id}.{task.task_id} is never retried")
print("loaded", *sorted(bag.dags))
