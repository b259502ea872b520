"""Scores a synthetic table: SDMetrics' quality, a classifier that tells its rows apart, and CatBoost trained on it."""
import sys
import warnings
from pathlib import Path

import numpy as np
import pandas as pd
from catboost import CatBoostClassifier
from sdmetrics.reports.single_table import QualityReport
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import GroupKFold, cross_val_score

warnings.filterwarnings("ignore")
train_path, holdout_path, synthetic_path, target = sys.argv[1:5]
ROWS = 5_000


def read(path):
    parts = sorted(Path(path).glob("*.parquet")) if Path(path).is_dir() else []
    table = pd.concat(map(pd.read_parquet, parts)) if parts else pd.read_csv(path, keep_default_na=False, na_values=[""])
    return table.reset_index(drop=True)


train, holdout, synthetic = read(train_path), read(holdout_path), read(synthetic_path)
numbers, categories = [], []
for column in train.columns:
    (numbers if pd.api.types.is_numeric_dtype(train[column]) else categories).append(column)
for table in (train, holdout, synthetic):
    table[numbers] = table[numbers].apply(pd.to_numeric).astype(float)
    table[categories] = table[categories].astype(object).where(table[categories].notna(), "(missing)").astype(str)

np.random.seed(0)
few = [table.sample(min(len(table), 10_000), random_state=0).reset_index(drop=True) for table in (train, synthetic)]
report = QualityReport()
kinds = {c: {"sdtype": "numerical" if c in numbers else "categorical"} for c in train.columns}
report.generate(*few, {"columns": kinds}, verbose=False)

rows = min(len(train), len(synthetic), ROWS)
levels = {c: {v: i for i, v in enumerate(train[c].value_counts().index[:250])} for c in categories}
both = pd.concat([t.sample(rows, random_state=i) for i, t in enumerate((train, synthetic))], ignore_index=True)
coded = both.assign(**{c: both[c].map(levels[c]) for c in categories})
model = HistGradientBoostingClassifier(
    max_iter=100, random_state=0, early_stopping=False, categorical_features=[c in levels for c in coded.columns])
equal = pd.factorize(pd.util.hash_pandas_object(coded, index=False))[0]  # equal rows share a fold
told = cross_val_score(
    model, coded, np.repeat([0, 1], rows), groups=equal, cv=GroupKFold(5, shuffle=True, random_state=0), scoring="roc_auc")


def auc(learned):
    inputs = [c for c in train.columns if c != target]
    classifier = CatBoostClassifier(
        iterations=300, depth=6, random_seed=0, verbose=False, allow_writing_files=False,
        cat_features=[c for c in categories if c != target])
    classifier.fit(learned[inputs], learned[target].astype(str))
    chance = classifier.predict_proba(holdout[inputs])
    truth = holdout[target].astype(str)
    return np.mean([roc_auc_score(truth == c, chance[:, i]) for i, c in enumerate(classifier.classes_) if (truth == c).any()])


size = min(len(train), len(synthetic))
print(f"{report.get_score():.3f} | {1 - 2 * abs(told.mean() - .5):.3f} | "
      f"{auc(synthetic.sample(size, random_state=0)):.3f} ({auc(train.sample(size, random_state=0)):.3f})")
