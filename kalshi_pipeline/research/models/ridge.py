"""Ridge regression of the surprise (outcome less the market's mean) on what the panel knew, fold by fold.

Everything that is learned is learned on training rows: medians that fill missing values (an indicator says which were),
means and scales, the penalty by the fold's inner split, the coefficients. Rows without a passed snapshot are left out;
nothing is ever filled with 0.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa

from kalshi_pipeline.distributions.compiled import Bools, Floats, Ints
from kalshi_pipeline.research.columns import require
from kalshi_pipeline.research.distance_features import DISTANCES
from kalshi_pipeline.research.models.training import FoldRows, fold_rows
from kalshi_pipeline.research.panel import FEATURES

#: Penalties tried; scaled features make one set serve all release types.
ALPHAS = (1.0, 10.0, 100.0, 1_000.0, 10_000.0)

#: Columns of the panel that are fitted on. Distances are not: what is published was chosen and measured without them,
#: and other columns are another configuration tried.
COLUMNS = tuple(name for name in FEATURES if name not in DISTANCES)

#: Fewest training rows of a fit, and of an inner fit.
LEAST_ROWS, LEAST_INNER_ROWS = 20, 5

FIT_SCHEMA = pa.schema(
    {
        "fold_id": pa.string(),
        "horizon_minutes": pa.int32(),
        "alpha": pa.float64(),
        "alphas": pa.list_(pa.float64()),
        "inner_losses": pa.list_(pa.float64()),
        "configurations_tried": pa.int32(),
        "n_train": pa.int32(),
        "n_inner_train": pa.int32(),
        "n_inner_val": pa.int32(),
        "intercept": pa.float64(),
        "features": pa.list_(pa.string()),
        "coefficients": pa.list_(pa.float64()),
        "alpha_reason": pa.string(),
        "not_fitted_reason": pa.string(),
    }
)
PREDICTION_SCHEMA = pa.schema(
    {
        "fold_id": pa.string(),
        "ladder_id": pa.string(),
        "horizon_minutes": pa.int32(),
        "release_id": pa.string(),
        "asof": pa.timestamp("us", tz="UTC"),
        "market_mean": pa.float64(),
        "predicted_surprise": pa.float64(),
        "predicted_value": pa.float64(),
    }
)
_PANEL = ("ladder_id", "release_id", "horizon_minutes", "asof", "missing_reason", *COLUMNS)


class Ridges(NamedTuple):
    """One row per fold and horizon with what was fitted, and one per test row with what was predicted."""

    fits: pa.Table
    predictions: pa.Table


def fit_ridges(panel: pa.Table, labels: pa.Table, folds: pa.Table, alphas: Sequence[float] = ALPHAS) -> Ridges:
    """Fit and predict, one model per fold and horizon.

    Args:
        panel: rows of ``research.event_feature_panel``.
        labels: rows of ``research.event_labels``.
        folds: rows of ``research.walkforward_folds``.
        alphas: penalties to choose from by the inner split; with too little for it the middle of the sorted ones.

    Raises:
        ValueError: a column is missing, or there is no alpha.
    """
    if not alphas:
        raise ValueError("Ridge regression needs at least one alpha to choose from.")
    require(panel, _PANEL, "The panel")
    require(labels, ("ladder_id", "has_label", "label_value"), "The labels table")
    labelled = labels.filter(labels["has_label"]).select(["ladder_id", "label_value"])
    rows = panel.select(list(_PANEL)).join(labelled, "ladder_id", join_type="left outer")
    rows = rows.sort_by([("ladder_id", "ascending"), ("horizon_minutes", "ascending")])
    present = np.asarray(rows["missing_reason"].is_null().to_numpy(), dtype=np.bool_)
    features = np.column_stack([rows[name].to_numpy() for name in COLUMNS]).astype(np.float64)
    market = features[:, COLUMNS.index("mean")]
    surprise = rows["label_value"].cast(pa.float64()).to_numpy() - market
    horizon = rows["horizon_minutes"].to_numpy()
    fits, predictions = [], [PREDICTION_SCHEMA.empty_table()]
    for fold in fold_rows(folds, rows["release_id"]):
        for minutes in np.unique(horizon[present]):
            at = present & (horizon == minutes)
            known = at & np.isfinite(surprise)
            parts = FoldRows(
                fold_id=fold.fold_id,
                train=fold.train & known,
                inner_train=fold.inner_train & known,
                inner_val=fold.inner_val & known,
                test=fold.test & at,
            )
            fit, predicted = _fit(features, surprise, parts, sorted(alphas))
            fits.append({"fold_id": fold.fold_id, "horizon_minutes": int(minutes), **fit})
            if predicted is not None:
                predictions.append(_predictions(rows, parts, market, predicted))
    return Ridges(pa.Table.from_pylist(fits, schema=FIT_SCHEMA), pa.concat_tables(predictions))


def _fit(
    features: Floats, surprise: Floats, parts: FoldRows, alphas: Sequence[float]
) -> tuple[dict[str, Any], Floats | None]:
    """What was fitted on one fold and horizon, and the predicted surprises of its test rows."""
    counts = {
        "n_train": int(parts.train.sum()),
        "n_inner_train": int(parts.inner_train.sum()),
        "n_inner_val": int(parts.inner_val.sum()),
    }
    said: dict[str, Any] = {"alphas": list(alphas), "inner_losses": None, "configurations_tried": 0, **counts}
    if counts["n_train"] < LEAST_ROWS:
        reason = f"only {counts['n_train']} of {LEAST_ROWS} training rows at this horizon"
        return {**said, "not_fitted_reason": reason}, None
    alpha = alphas[(len(alphas) - 1) // 2]
    if counts["n_inner_train"] < LEAST_INNER_ROWS or not counts["n_inner_val"]:
        said["alpha_reason"] = (
            f"{counts['n_inner_train']} rows for inner training and {counts['n_inner_val']} for inner validation at "
            "this horizon: the middle alpha"
        )
    else:
        losses = [_inner_loss(features, surprise, parts, candidate) for candidate in alphas]
        alpha = alphas[int(np.argmin(losses))]
        said |= {"inner_losses": losses, "configurations_tried": len(alphas)}
    model, used = _fitted(features, surprise, parts.train, alpha)
    ridge = model["ridge"]
    names = model["impute"].get_feature_names_out(np.array(COLUMNS)[used])
    said |= {"alpha": alpha, "intercept": float(ridge.intercept_)}
    said |= {"features": names.tolist(), "coefficients": ridge.coef_.tolist()}
    test = features[parts.test][:, used]
    return said, model.predict(test) if len(test) else None


def _inner_loss(features: Floats, surprise: Floats, parts: FoldRows, alpha: float) -> float:
    """Mean squared error on the inner validation rows of a fit on the inner training rows."""
    model, used = _fitted(features, surprise, parts.inner_train, alpha)
    error = model.predict(features[parts.inner_val][:, used]) - surprise[parts.inner_val]
    return float(np.mean(error**2))


def _fitted(features: Floats, surprise: Floats, rows: Bools, alpha: float) -> tuple[Any, Ints]:
    """The model fitted on some rows alone, and the columns that hold anything in them.

    Median and indicator for missing values, then scaling, then ridge with an intercept.
    """
    # Takes a second to import: only a fit waits for it.
    from sklearn.impute import SimpleImputer
    from sklearn.linear_model import Ridge
    from sklearn.pipeline import Pipeline
    from sklearn.preprocessing import StandardScaler

    used = np.flatnonzero(np.isfinite(features[rows]).any(axis=0))
    model = Pipeline(
        [
            ("impute", SimpleImputer(strategy="median", add_indicator=True)),
            ("scale", StandardScaler()),
            ("ridge", Ridge(alpha=alpha)),
        ]
    )
    return model.fit(features[rows][:, used], surprise[rows]), used


def _predictions(rows: pa.Table, parts: FoldRows, market: Floats, predicted: Floats) -> pa.Table:
    test: Bools = parts.test
    own = rows.select(["ladder_id", "horizon_minutes", "release_id", "asof"]).filter(pa.array(test))
    columns = {name: own[name] for name in own.column_names}
    columns |= {
        "fold_id": pa.array([parts.fold_id] * len(own), pa.string()),
        "market_mean": pa.array(market[test]),
        "predicted_surprise": pa.array(predicted),
        "predicted_value": pa.array(market[test] + predicted),
    }
    return pa.table({name: columns[name] for name in PREDICTION_SCHEMA.names}, schema=PREDICTION_SCHEMA)
