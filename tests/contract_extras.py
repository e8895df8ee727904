"""Checks that scikit-learn's `check_estimator` leaves out, its own ones and further ones, by what they apply to."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
import sklearn
from sklearn.base import clone, is_classifier
from sklearn.model_selection import GridSearchCV, KFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils import estimator_checks, get_tags

from tsrnn import CalendarFeatures, InvalidParameterError, SequenceScaler, WindowTransformer
from tsrnn._base_forecaster import BaseForecaster
from tsrnn._recurrent import RecurrentEstimator

RNG = np.random.default_rng(0)
X = RNG.normal(size=(40, 4))
NUMBERS = X[:, -1] + 0.5 * X[:, -2] + 0.3 * X[:, 0] ** 2
WEIGHTS = np.where(X[:, 0] > 0, 5.0, 0.01)


def targets(estimator: Any) -> Any:
    return np.where(NUMBERS > 0, "high", "low") if is_classifier(estimator) else NUMBERS


@dataclass
class Check:
    """A check, and the question whether it applies to an estimator."""

    check: Callable[[str, Any], None]
    applies: Callable[[Any], bool]

    def faults(self, estimator: Any) -> list[str]:
        try:
            self.check(type(estimator).__name__, estimator)
        except (Exception, pytest.fail.Exception) as error:  # noqa: BLE001 - whatever it is, the table shows it
            return [f"{self.check.__name__}: {error!r}"]
        return []


def is_network(estimator: Any) -> bool:
    return isinstance(estimator, RecurrentEstimator)


def is_forecaster(estimator: Any) -> bool:
    return isinstance(estimator, BaseForecaster)


def is_calendar(estimator: Any) -> bool:
    return isinstance(estimator, CalendarFeatures)


def is_transformer(estimator: Any) -> bool:
    return hasattr(estimator, "transform")


def gives_columns(estimator: Any) -> bool:
    """Whether it is a transformer of columns to columns, whose output may be a frame."""
    return is_transformer(estimator) and not isinstance(estimator, WindowTransformer | SequenceScaler)


def reads_rows(estimator: Any) -> bool:
    return not (is_forecaster(estimator) or is_calendar(estimator))


def always(estimator: Any) -> bool:  # noqa: ARG001
    return True


def check_parameters_are_checked_in_fit(name: str, estimator: Any) -> None:  # noqa: ARG001
    """No constructor refuses what has a wrong type; every fit does, and names the parameter."""
    beside = {"quantiles": {"loss": "quantile"}, "validation_fraction": {"early_stopping": 2}}
    beside["season_length"] = {"seasonal": "add"}
    for parameter in estimator.get_params(deep=False):
        changed = clone(estimator)
        changed.set_params(**{k: v for k, v in beside.get(parameter, {}).items() if k in estimator.get_params()})
        changed.set_params(**{parameter: BadType()})
        for method in ("fit", "partial_fit", "fit_transform"):
            if hasattr(changed, method):
                with pytest.raises(InvalidParameterError, match=f"`{parameter}` must be"):
                    getattr(changed, method)(X, targets(estimator))


class BadType:
    """An object that no parameter takes."""


def check_predictions_vary(name: str, estimator: Any) -> None:  # noqa: ARG001
    """A constant prediction would pass most of the checks."""
    model = clone(estimator).fit(X, targets(estimator))
    if is_classifier(estimator):
        assert np.ptp(model.predict_proba(X)[:, 0]) > 0.05
        assert len(np.unique(model.predict(X))) == 2
    else:
        assert np.ptp(model.predict(X)) > 0.1


def check_weights_reach_the_last_step_of_a_pipeline(name: str, estimator: Any) -> None:  # noqa: ARG001
    y = targets(estimator)
    with sklearn.config_context(enable_metadata_routing=True):
        asking = clone(estimator).set_fit_request(sample_weight=True)
        pipeline = make_pipeline(StandardScaler().set_fit_request(sample_weight=False), asking)
        routed = pipeline.fit(X, y, sample_weight=WEIGHTS)
    scaled = StandardScaler().fit_transform(X)
    weighted, plain = clone(estimator).fit(scaled, y, sample_weight=WEIGHTS), clone(estimator).fit(scaled, y)
    np.testing.assert_array_equal(outputs(routed, X), outputs(weighted, scaled))
    assert np.abs(outputs(plain, scaled) - outputs(weighted, scaled)).max() > 1e-4


def check_weights_reach_every_fit_and_score_of_a_search(name: str, estimator: Any) -> None:  # noqa: ARG001
    y, folds = targets(estimator), KFold(2)
    with sklearn.config_context(enable_metadata_routing=True):
        asking = clone(estimator).set_fit_request(sample_weight=True).set_score_request(sample_weight=True)
        grid = {"hidden_size": [estimator.hidden_size]}
        search = GridSearchCV(asking, grid, cv=folds).fit(X, y, sample_weight=WEIGHTS)
    weighted = clone(estimator).fit(X, y, sample_weight=WEIGHTS)
    np.testing.assert_array_equal(outputs(search.best_estimator_, X), outputs(weighted, X))
    for fold, (train, test) in enumerate(folds.split(X)):
        model = clone(estimator).fit(X[train], y[train], sample_weight=WEIGHTS[train])
        expected = model.score(X[test], y[test], sample_weight=WEIGHTS[test])
        assert search.cv_results_[f"split{fold}_test_score"][0] == pytest.approx(expected, abs=1e-12)


def check_weights_that_are_not_asked_for_are_refused(name: str, estimator: Any) -> None:  # noqa: ARG001
    with sklearn.config_context(enable_metadata_routing=True):
        pipeline = make_pipeline(StandardScaler().set_fit_request(sample_weight=False), clone(estimator))
        with pytest.raises(sklearn.exceptions.UnsetMetadataPassedError, match="sample_weight"):
            pipeline.fit(X, targets(estimator), sample_weight=WEIGHTS)


def outputs(model: Any, samples: Any) -> Any:
    return model.predict_proba(samples) if is_classifier(model) else model.predict(samples)


def check_html(name: str, estimator: Any) -> None:
    """The page of a notebook shows the name, in a Pipeline too, and whether it is fitted."""
    for shown in (clone(estimator), make_pipeline(StandardScaler(), clone(estimator))):
        pages = [shown._repr_mimebundle_()["text/html"]]
        pages.append(shown.fit(X, targets(estimator))._repr_html_())
        assert all(name in page for page in pages)
        assert ['class="sk-estimator fitted' in page for page in pages] == [False, True]
        assert {"fit", "get_params"} <= set(dir(shown))


def check_n_features_in(name: str, estimator: Any) -> None:  # noqa: ARG001
    """Columns of 2-D samples, features of 3-D ones; scikit-learn's own reading of 3-D samples is their steps."""
    flat = clone(estimator).fit(X, targets(estimator))
    assert flat.n_features_in_ == 4
    assert not hasattr(flat, "feature_names_in_")
    if get_tags(estimator).input_tags.three_d_array:
        deep = clone(estimator).fit(X.reshape(40, 2, 2), targets(estimator))
        assert deep.n_features_in_ == 2
        method = deep.transform if is_transformer(estimator) else deep.predict
        with pytest.raises(ValueError, match="features"):
            method(X.reshape(40, 4, 1))


def check_tags(name: str, estimator: Any) -> None:  # noqa: ARG001
    """What the estimator says of itself, to which scikit-learn fits its own checks."""
    tags = get_tags(estimator)
    assert tags.input_tags.two_d_array
    assert not any([tags.input_tags.sparse, tags.non_deterministic, tags._skip_test])
    assert tags.input_tags.three_d_array == (is_network(estimator) or isinstance(estimator, SequenceScaler))
    assert tags.no_validation == is_calendar(estimator)
    kind = "classifier" if is_classifier(estimator) else None if is_transformer(estimator) else "regressor"
    assert tags.estimator_type == kind
    assert tags.target_tags.multi_output == (kind == "regressor")
    assert tags.target_tags.required == is_network(estimator)
    if is_network(estimator):
        assert not getattr(tags, f"{kind}_tags").poor_score


def check_no_names_of_what_is_no_column(name: str, estimator: Any) -> None:  # noqa: ARG001
    """Windows have no columns to name, and stay windows whatever container is asked for."""
    assert not hasattr(estimator, "get_feature_names_out")
    for container in ("default", "pandas", "polars"):
        chosen = clone(estimator).set_output(transform=container)
        assert type(chosen.fit_transform(X)) is type(clone(estimator).fit_transform(X))


def of_scikit_learn(name: str, applies: Callable[[Any], bool]) -> Check:
    return Check(getattr(estimator_checks, name), applies)


def is_named(estimator: Any) -> bool:
    return gives_columns(estimator) and not is_calendar(estimator)


def is_windowing(estimator: Any) -> bool:
    return is_transformer(estimator) and not gives_columns(estimator)


EXTRAS = [
    of_scikit_learn("check_dataframe_column_names_consistency", reads_rows),
    of_scikit_learn("check_inplace_ensure_writeable", always),
    of_scikit_learn("check_get_feature_names_out_error", gives_columns),
    of_scikit_learn("check_transformer_get_feature_names_out", is_named),
    of_scikit_learn("check_transformer_get_feature_names_out_pandas", is_named),
    of_scikit_learn("check_set_output_transform", is_transformer),
    of_scikit_learn("check_set_output_transform_pandas", gives_columns),
    of_scikit_learn("check_global_output_transform_pandas", gives_columns),
    of_scikit_learn("check_set_output_transform_polars", gives_columns),
    of_scikit_learn("check_global_set_output_transform_polars", gives_columns),
    Check(check_parameters_are_checked_in_fit, always),
    Check(check_predictions_vary, is_network),
    Check(check_weights_reach_the_last_step_of_a_pipeline, is_network),
    Check(check_weights_reach_every_fit_and_score_of_a_search, is_network),
    Check(check_weights_that_are_not_asked_for_are_refused, is_network),
    Check(check_html, always),
    Check(check_n_features_in, reads_rows),
    Check(check_tags, always),
    Check(check_no_names_of_what_is_no_column, is_windowing),
]
