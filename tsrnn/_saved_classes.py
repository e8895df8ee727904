"""The classes that a file may hold, and what each of their attributes may be: the whole of what `load` can make.

scikit-learn's own estimators stand in the table as well. skops could write them, but it imports
what a file names, asks which names to trust, and restores whatever attributes it finds; this table says what each is.
"""

import inspect
import re
from collections.abc import Collection, Mapping
from dataclasses import replace
from typing import Any

from sklearn.linear_model import ElasticNet, LinearRegression, Ridge
from sklearn.multioutput import MultiOutputRegressor
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import (
    FunctionTransformer,
    MaxAbsScaler,
    MinMaxScaler,
    PowerTransformer,
    QuantileTransformer,
    RobustScaler,
    StandardScaler,
)

from tsrnn import _node_kinds as kinds
from tsrnn._anchors import LinearMap
from tsrnn._chains import Chain
from tsrnn._framing import Framing
from tsrnn._index_nodes import UnfitError
from tsrnn._node_kinds import array, choice, fixed, instance, listed, mapped, one_of, record
from tsrnn._panels import PanelForm, Track
from tsrnn._saved_networks import network_specs
from tsrnn._saved_series import check_agreement, check_scales
from tsrnn._series import Form
from tsrnn._tree import Checker, Kind, Spec, content
from tsrnn.anomalies import ForecastAnomalyDetector
from tsrnn.baselines import DriftForecaster, NaiveForecaster, SeasonalNaiveForecaster, WindowAverageForecaster
from tsrnn.calendars import CalendarFeatures, _Holidays
from tsrnn.forecasting import Forecaster
from tsrnn.transformers import Differencer, SequenceScaler, WindowTransformer

COUNT, FLAG, LABEL, NONE, PLAIN = kinds.INTEGER, kinds.FLAG, kinds.LABEL, kinds.NONE, kinds.PLAIN
REAL, TEXT, VALUES = kinds.REAL, kinds.TEXT, array()
VALUES_OR_NONE = one_of(NONE, VALUES)
STEPS = listed(fixed(TEXT, Kind("an estimator", lambda node, checker: _is_step(node, checker))))
UNUSED = ["NoneType", "str"]
"""The types of steps of a Pipeline that do nothing: None and "passthrough"."""

CODE = re.compile(r"[A-Z]{2,3}")


def _is_step(node: Any, checker: Checker) -> bool:
    return node is None or node == "passthrough" or ESTIMATOR.fits(node, checker)


def _is_country(node: Any, _: Checker) -> bool:
    """Return whether a node is a country code, or one with a subdivision, which the package holidays looks up."""
    parts = content(node, "tuple") if isinstance(node, dict) else [node, None]
    plain = isinstance(parts, list) and len(parts) == 2 and isinstance(parts[1], str | None)
    return plain and isinstance(parts[0], str) and CODE.fullmatch(parts[0]) is not None


NAMES = {"n_features_in_": COUNT, "feature_names_in_": kinds.TEXTS}
OPTIONAL = {"feature_names_in_": kinds.TEXTS, "_sklearn_output_config": mapped(TEXT, choice("default", "pandas"))}
ESTIMATOR = Kind("an estimator that a file may hold", lambda node, checker: checker.object(node, ESTIMATORS))
MAYBE = one_of(NONE, ESTIMATOR)
TRANSFORMER = Kind("a transformer", lambda node, checker: checker.object(node, TRANSFORMERS))
PREDICTOR = Kind("an estimator that predicts", lambda node, checker: checker.object(node, PREDICTORS))
COUNTRY = Kind("a country code such as 'GB'", _is_country)
DATES = one_of(listed(one_of(kinds.DATE, TEXT), "list", "tuple"), kinds.INDEX)
HOLIDAYS = one_of(NONE, COUNTRY, DATES)
FUNCTION = one_of(NONE, kinds.FUNCTION)


def _by_name(kind: Kind) -> Kind:
    """Return the kind of what is there once, or of a panel for each series."""
    return one_of(mapped(LABEL, kind), kind)


def _spec(cls: Any, state: Mapping[str, Kind], special: Mapping[str, Kind] | None = None, optional: Any = ()) -> Spec:
    """Return what a file may hold of an estimator: its parameters, plain unless `special`, and its state."""
    parameters = inspect.signature(cls).parameters
    own = {name: (special or {}).get(name, PLAIN) for name in parameters}
    # Versions of scikit-learn differ in parameters; those of this package are migrated by the format.
    theirs = cls.__module__.startswith("sklearn.")
    defaults = {name: part.default for name, part in parameters.items() if theirs and part.default is not part.empty}
    needed = [name for name in state if name not in optional]
    # Of a forecaster, they stand in for the parameters that are set since.
    fitted = {"_parameters": record(own)} if "_tracks" in state else {}
    # A rule keeps a copy of itself for each series of a panel, and each copy the index of all series.
    left_out, forgotten = (["index_"], ["_memory"]) if "_tracks" in state else ([], [])
    agrees = check_agreement if "_tracks" in state else None
    kinds_of = {**OPTIONAL, **state, **fitted}
    return Spec(cls, own, kinds_of, [*needed, *fitted], left_out, forgotten, defaults, agrees=agrees)


def _plain_object(cls: type, **always: Kind) -> Spec:
    return Spec(cls, always)


def _of_sklearn() -> list[Spec]:
    count = {"n_features_in_": COUNT}
    minmax = dict.fromkeys(["min_", "scale_", "data_min_", "data_max_", "data_range_"], VALUES)
    seen = {"n_samples_seen_": one_of(COUNT, REAL, array([1], kinds="fi"))}
    linear = {"coef_": VALUES, "intercept_": one_of(REAL, VALUES), **count}
    found = Kind("how a solver ended", one_of(PLAIN, array([0, 1], kinds="fi")).fits)
    standard = dict.fromkeys(["mean_", "var_", "scale_"], VALUES_OR_NONE)
    functions = dict.fromkeys(["func", "inverse_func"], FUNCTION) | dict.fromkeys(["kw_args", "inv_kw_args"], NONE)
    return [
        _spec(StandardScaler, {**standard, **seen, **count}),
        _spec(MinMaxScaler, {**minmax, **seen, **count}),
        _spec(MaxAbsScaler, {"scale_": VALUES, "max_abs_": VALUES, **seen, **count}),
        _spec(RobustScaler, {"scale_": VALUES_OR_NONE, "center_": VALUES_OR_NONE, **count}),
        _spec(
            PowerTransformer, {"lambdas_": VALUES, "_scaler": instance("StandardScaler"), **count}, optional=["_scaler"]
        ),
        _spec(QuantileTransformer, {"quantiles_": VALUES, "references_": VALUES, "n_quantiles_": COUNT, **count}),
        _spec(FunctionTransformer, count, functions, optional=count),
        _spec(Ridge, {**linear, "n_iter_": found, "solver_": TEXT}, optional=["solver_"]),
        _spec(LinearRegression, {**linear, "rank_": found, "singular_": VALUES}, optional=["rank_", "singular_"]),
        _spec(ElasticNet, {**linear, "n_iter_": found, "dual_gap_": one_of(REAL, VALUES)}),
        _spec(MultiOutputRegressor, {"estimators_": listed(PREDICTOR), **count}, {"estimator": ESTIMATOR}, count),
        replace(_spec(Pipeline, {}, {"steps": STEPS, "memory": NONE}), agrees=_check_steps),
    ]


def _check_steps(pipeline: Any) -> None:
    """Raise unless all steps but the last one transform."""
    if not pipeline.steps or not all(_transforms(step) for _, step in pipeline.steps[:-1]):
        raise UnfitError("all steps of a Pipeline but the last one must be transformers")


def _check_chain(chain: Any) -> None:
    """Raise unless all steps transform."""
    if not all(_transforms(step) for step in chain.steps):
        raise UnfitError("all steps of a chain must be transformers")


def _transforms(step: Any) -> bool:
    """Return whether a step transforms: a Pipeline does so if its last step does."""
    if isinstance(step, Pipeline):
        return bool(step.steps) and _transforms(step.steps[-1][1])
    return type(step).__name__ in (*TRANSFORMERS, *UNUSED)


def _of_every_forecaster() -> dict[str, Kind]:
    """Return what every forecaster keeps of its series."""
    tracks = mapped(LABEL, instance("Track"))
    columns = listed(COUNT)
    return {
        "_tracks": tracks,
        "_fit_tracks": tracks,
        "_is_foreign": FLAG,
        "_form": instance("Form"),
        "_panel": one_of(NONE, instance("PanelForm")),
        "_copy": one_of(NONE, fixed(instance(*FORECASTERS), mapped(LABEL, COUNT))),
        "_columns": listed(LABEL),
        **dict.fromkeys(["_past_columns", "_static_columns", "_future_columns"], columns),
        "n_targets_": COUNT,
        "n_features_in_": COUNT,
        "index_": _by_name(kinds.INDEX),
    }


def _of_series() -> list[Spec]:
    """Return the forecasters and what stands on them."""
    state = _of_every_forecaster()
    more = {
        "regressor_": PREDICTOR,
        "scalers_": _by_name(listed(TRANSFORMER)),
        "_covariate_scaler": one_of(NONE, TRANSFORMER),
        "_framing": instance("Framing"),
        "_lazy": FLAG,
        "n_missing_": COUNT,
        "n_dropped_": COUNT,
        "_linear": instance("LinearMap"),
    }
    parts = {
        "regressor": ESTIMATOR,
        "scaler": one_of(choice("standard"), MAYBE),
        "target_transformer": MAYBE,
        "stride": one_of(COUNT, TEXT, kinds.SPAN),
        **dict.fromkeys(["past_covariates", "static_covariates"], one_of(PLAIN, kinds.INDEX)),
    }
    rules = [NaiveForecaster, SeasonalNaiveForecaster, DriftForecaster, WindowAverageForecaster]
    detector = {"forecaster": instance(*FORECASTERS)}
    return [
        *(_spec(rule, state) for rule in rules),
        _spec(Forecaster, state | more, parts, ["_linear"]),
        replace(_spec(ForecastAnomalyDetector, _of_detectors(), detector), agrees=check_scales),
    ]


def _of_detectors() -> dict[str, Kind]:
    scales = array([1, 2], missing=True)
    return {
        "forecaster_": instance(*FORECASTERS),
        "_scales": mapped(LABEL, scales),
        "scale_": _by_name(scales),
        "offset_": REAL,
        "neutral_score_": REAL,
        "n_calibration_": COUNT,
        "n_features_in_": COUNT,
    }


def _of_rows() -> list[Spec]:
    """Return the transformers of this package."""
    window = {
        "_lookback": COUNT,
        "context_": array([2]),
        "context_index_": one_of(NONE, kinds.INDEX),
        "n_features_in_": COUNT,
    }
    scaler = {
        "scaler_": TRANSFORMER,
        "n_features_in_": COUNT,
        "input_shape_": fixed(COUNT, COUNT),
        "_varying": FLAG,
    }
    calendar = {
        "_holidays": instance("Holidays"),
        "_n_harmonics": COUNT,
        "features_": listed(choice("hour", "weekday", "day_of_year", "month")),
        "time_zone_": one_of(NONE, TEXT),
    }
    return [
        _spec(WindowTransformer, window),
        _spec(SequenceScaler, scaler, {"scaler": MAYBE}),
        _spec(Differencer, {"n_features_in_": COUNT}),
        _spec(CalendarFeatures, calendar, {"holidays": HOLIDAYS}),
    ]


def _parts() -> dict[str, Spec]:
    """Return the objects that estimators of this package are made of."""
    series = array([2], missing=True)
    learnt = one_of(NONE, listed(instance("Chain")), instance(*RULES))
    beside = {"covariates": one_of(NONE, array([2])), "index": one_of(NONE, kinds.INDEX)}
    framing = dict.fromkeys(["lookback", "reach"], COUNT) | dict.fromkeys(["per_window", "multivariate"], FLAG)
    days = {"_value": HOLIDAYS, "_country": one_of(NONE, COUNTRY), "_days": one_of(NONE, kinds.INDEX)}
    return {
        "Track": Spec(Track, {"name": LABEL, "target": series, "learnt": learnt, **beside}),
        "Form": _plain_object(Form, kind=choice("series", "frame", "vector", "matrix"), names=listed(LABEL)),
        "PanelForm": _plain_object(PanelForm, kind=choice("dict", "rows"), names=listed(LABEL)),
        "Chain": replace(_plain_object(Chain, steps=listed(TRANSFORMER)), agrees=_check_chain),
        "LinearMap": _plain_object(LinearMap, alpha_=REAL, start_=array([2]), coef_=array([2]), intercept_=array([1])),
        "Framing": _plain_object(
            Framing,
            anchor=choice("last", "seasonal", "mean", "linear", None),
            seasons=listed(COUNT, "tuple"),
            future=listed(COUNT),
            past=listed(COUNT),
            **framing,
        ),
        "Holidays": _plain_object(_Holidays, given=FLAG, _owner=TEXT, **days),
    }


RULES: Collection[str] = ["NaiveForecaster", "SeasonalNaiveForecaster", "DriftForecaster", "WindowAverageForecaster"]
FORECASTERS = [*RULES, "Forecaster"]
_FITTED = {spec.cls.__name__: spec for spec in [*_of_sklearn(), *_of_series(), *_of_rows()]} | network_specs()
ESTIMATORS: list[str] = list(_FITTED)
"""The names of the estimators, each of which may also be saved by itself."""
TRANSFORMERS: list[str] = [name for name, spec in _FITTED.items() if hasattr(spec.cls, "transform")]
PREDICTORS: list[str] = [name for name, spec in _FITTED.items() if hasattr(spec.cls, "predict")]
TABLE = _FITTED | _parts()
