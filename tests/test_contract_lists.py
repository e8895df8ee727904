"""Which of scikit-learn's checks apply to a forecaster and to a splitter of time, and why the others do not."""

import copy
import pickle

import numpy as np
import pandas as pd
import pytest
import sklearn
from contract import OTHERS
from sklearn.base import clone
from sklearn.linear_model import Ridge
from sklearn.model_selection import GridSearchCV, GroupKFold, TimeSeriesSplit, cross_validate
from sklearn.utils import estimator_checks
from sklearn.utils.estimator_checks import _check_name, estimator_checks_generator

from tsrnn import Forecaster, WalkForwardSplit

ALL = {
    name
    for name, check in vars(estimator_checks).items()
    if name.startswith("check_") and getattr(check, "__module__", None) == estimator_checks.__name__
} - {"check_estimator"}

# --- Forecaster ---

FORECASTER = """
array_api_input complex_data dict_unchanged do_not_raise_errors_in_init_or_set_params dont_overwrite_parameters
dtype_object estimator_cloneable estimator_repr estimator_sparse_array estimator_sparse_matrix estimator_sparse_tag
estimator_tags_renamed estimators_dtypes estimators_empty_data_messages estimators_fit_returns_self estimators_nan_inf
estimators_overwrite_params estimators_partial_fit_n_features estimators_pickle estimators_unfitted
f_contiguous_array_estimator fit2d_1feature fit_check_is_fitted fit_idempotent fit_score_takes_y get_params_invariance
inplace_ensure_writeable mixin_order n_features_in n_features_in_after_fitting no_attributes_set_in_init
non_transformer_estimators_n_iter parameters_default_constructible pipeline_consistency positive_only_tag_during_fit
readonly_memmap_input regressor_multioutput regressors_int regressors_train set_params supervised_y_2d
supervised_y_no_nan valid_tag_types
"""
"""The checks that a Forecaster passes as they are; all names here without their "check_"."""


def named(table):
    return {f"check_{name}" for name in table.split()}


KIND = {
    "It is no classifier.": """
        class_weight_balanced_classifiers class_weight_balanced_linear_classifier class_weight_classifiers
        classifier_data_not_an_array classifier_multioutput classifier_not_supporting_multiclass classifiers_classes
        classifiers_multilabel_output_format_decision_function classifiers_multilabel_output_format_predict
        classifiers_multilabel_output_format_predict_proba classifiers_multilabel_representation_invariance
        classifiers_one_label classifiers_one_label_sample_weights classifiers_predictions
        classifiers_regression_target classifiers_train decision_proba_consistency
    """,
    "It is no clusterer.": "clusterer_compute_labels_predict clustering",
    "It is no outlier detector.": """
        outlier_contamination outlier_corruption outliers_fit_predict outliers_train
    """,
    "It is no transformer.": """
        get_feature_names_out_error global_output_transform_pandas global_set_output_transform_polars
        set_output_transform set_output_transform_pandas set_output_transform_polars transformer_data_not_an_array
        transformer_general transformer_get_feature_names_out transformer_get_feature_names_out_pandas
        transformer_n_iter transformer_preserve_dtypes transformers_unfitted transformers_unfitted_stateless
    """,
    "It takes no sample_weight in fit: `half_life` weighs the rows by their age.": """
        all_zero_sample_weights_error sample_weight_equivalence_on_dense_data sample_weight_equivalence_on_sparse_data
        sample_weights_list sample_weights_not_an_array sample_weights_not_overwritten sample_weights_pandas_series
        sample_weights_shape
    """,
    "It claims no support of other arrays than numpy's.": """
        array_api_input_and_values array_api_mixed_inputs array_api_same_namespace
    """,
    "It takes negative numbers.": "fit_non_negative",
    "It takes no matrix of distances.": "nonsquare_error",
    "It has no `sparsify`.": "sparsify_coefficients",
    "It has no table of constraints: the extra check of parameters is called instead.": "param_validation",
}
"""Why a check does not apply to the kind of thing that a Forecaster is."""

SERIES = {
    "y may be missing: X is the series then.": "requires_y_none",
    "Called by a check that is listed.": "estimators_data_not_an_array",
    "Frames have their place in time, and those of the check do not go on: adapted below.": """
        dataframe_column_names_consistency regressor_data_not_an_array
    """,
    "Its covariate is the series itself, which is refused.": "regressors_no_decision_function",
    "Rows are steps in time: their order is what is learnt.": """
        methods_sample_order_invariance methods_subset_invariance
    """,
    "The error for one row speaks of steps: adapted below.": "fit2d_1sample",
    "One axis is one covariate: adapted below.": "fit1d fit2d_predict1d",
}
"""Why a check does not apply to what learns from a series."""


def apart(reasons):
    return set().union(*[named(table) for table in reasons.values()])


def test_every_check_of_scikit_learn_is_listed_for_forecasters():
    passes = named(FORECASTER)
    assert passes & apart(KIND | SERIES) == set()
    unlisted = ALL - passes - apart(KIND | SERIES)
    assert unlisted == set()


def test_the_checks_that_a_forecaster_passes_run():
    case = OTHERS["Forecaster"]
    run = {_check_name(check) for _, check in estimator_checks_generator(case.estimator)}
    assert named(FORECASTER) - run == {"check_inplace_ensure_writeable"}
    assert run - named(FORECASTER) == set(case.expected)
    assert set(case.expected) <= apart(SERIES)


X = np.random.default_rng(0).normal(size=(60, 3))
Y = X[:, 0] + np.arange(60) / 10


def test_names_and_order_of_covariates_are_checked():
    frame = pd.DataFrame(X, columns=["a", "b", "c"])
    forecaster = Forecaster(Ridge(), lookback=3).fit(frame[:50], Y[:50])
    assert forecaster.n_features_in_ == 3
    assert list(forecaster.feature_names_in_) == ["a", "b", "c"]
    expected = Forecaster(Ridge(), lookback=3).fit(X[:50], Y[:50]).predict(X[50:])
    np.testing.assert_allclose(forecaster.predict(frame[50:]), expected, rtol=1e-12)
    with pytest.raises(ValueError, match="feature names should match"):
        forecaster.predict(frame[50:][["c", "a", "b"]])
    with pytest.raises(ValueError, match="known to 49"):
        forecaster.predict(frame[:50])


def test_what_can_become_an_array_gives_what_the_array_gives():
    expected = Forecaster(Ridge(), lookback=3).fit(X[:50], Y[:50]).predict(X[50:])
    hidden = estimator_checks._NotAnArray
    for kind in (hidden, np.ndarray.tolist, np.asfortranarray):
        forecaster = Forecaster(Ridge(), lookback=3).fit(kind(X[:50]), kind(Y[:50]))
        assert forecaster.predict(X[50:]).tolist() == pytest.approx(expected.tolist(), rel=1e-12)
    alone = [Forecaster(Ridge(), lookback=3, horizon=2).fit(kind(Y)).predict() for kind in (np.asarray, hidden)]
    np.testing.assert_array_equal(*alone)


def test_few_rows_and_one_axis():
    with pytest.raises(ValueError, match="the series has 1 steps; lookback=3 and horizon=1 need at least 4"):
        Forecaster(Ridge(), lookback=3).fit(X[:1], Y[:1])
    column = Forecaster(Ridge(), lookback=3).fit(X[:50, :1], Y[:50]).predict(X[50:, :1])
    np.testing.assert_array_equal(Forecaster(Ridge(), lookback=3).fit(X[:50, 0], Y[:50]).predict(X[50:, 0]), column)
    with pytest.raises(ValueError, match="X has 1 features, but Forecaster is expecting 3 features"):
        Forecaster(Ridge(), lookback=3).fit(X[:50], Y[:50]).predict(X[0])


# --- WalkForwardSplit ---

CV = WalkForwardSplit(3, test_size=10, gap=2)


def folds(cv, *data):
    return [(train.tolist(), test.tolist()) for train, test in cv.split(*data)]


def check_copies(copied):
    other = copied(CV)
    assert other is not CV
    assert vars(other) == vars(CV)
    assert folds(other, X) == folds(CV, X)


def check_state():
    before = copy.deepcopy(vars(CV))
    first, again = folds(CV, X), folds(CV, X)
    assert first == again
    assert CV.get_n_splits(X) == len(first) == 3
    assert vars(CV) == before


def check_constructor():
    for value in [-1, 3.0, "helloworld", np.array([1.0, 4.0]), [1], {}, []]:
        odd = WalkForwardSplit(value, test_size=value, max_train_size=value, gap=value, stride=value)
        assert all(kept is value for kept in vars(odd).values())


def check_data():
    rows = X.copy()
    rows.setflags(write=False)
    frame = pd.DataFrame(X)
    for data in (rows, np.asfortranarray(rows), memoryview(rows), rows.tolist(), frame, range(60), X[:, 0]):
        assert folds(CV, data) == folds(CV, X)
    pd.testing.assert_frame_equal(frame, pd.DataFrame(X))


def check_empty():
    with pytest.raises(ValueError, match="0 rows leave no training row"):
        CV.split(X[:0])


SPLITTER = {
    check_state: """
        dict_unchanged dont_overwrite_parameters estimators_overwrite_params fit_idempotent
    """,
    check_constructor: "do_not_raise_errors_in_init_or_set_params no_attributes_set_in_init",
    check_data: """
        estimators_data_not_an_array estimators_dtypes f_contiguous_array_estimator inplace_ensure_writeable
        readonly_memmap_input
    """,
    check_empty: "estimators_empty_data_messages",
    lambda: check_copies(lambda cv: pickle.loads(pickle.dumps(cv))): "estimators_pickle",
    lambda: check_copies(lambda cv: clone(cv, safe=False)): "estimator_cloneable",
    lambda: repr(CV).index("test_size=10"): "estimator_repr",
    lambda: WalkForwardSplit().get_n_splits(): "parameters_default_constructible",
}
"""What a check asks, of a splitter, and the names of the checks that it stands for."""


@pytest.mark.parametrize("check", SPLITTER, ids=[table.split()[0] for table in SPLITTER.values()])
def test_checks_adapted_to_a_splitter(check):
    check()


NO_FIT = """
array_api_input complex_data dataframe_column_names_consistency dtype_object estimator_sparse_array
estimator_sparse_matrix estimator_sparse_tag estimator_tags_renamed estimators_fit_returns_self estimators_nan_inf
estimators_partial_fit_n_features estimators_unfitted fit1d fit2d_1feature fit2d_1sample fit2d_predict1d
fit_check_is_fitted fit_score_takes_y get_params_invariance methods_sample_order_invariance methods_subset_invariance
mixin_order n_features_in n_features_in_after_fitting non_transformer_estimators_n_iter pipeline_consistency
positive_only_tag_during_fit regressor_data_not_an_array regressor_multioutput regressors_int
regressors_no_decision_function regressors_train requires_y_none set_params supervised_y_2d supervised_y_no_nan
valid_tag_types
"""
"""A splitter, as all of scikit-learn's, is no estimator: no fit, no prediction, no get_params and no tags."""


def test_every_check_of_scikit_learn_is_listed_for_splitters():
    adapted = set().union(*[named(table) for table in SPLITTER.values()])
    assert adapted & (apart(KIND) | named(NO_FIT)) == set()
    assert ALL - adapted - apart(KIND) - named(NO_FIT) == set()
    assert not any(hasattr(CV, name) for name in ("fit", "predict", "get_params", "__sklearn_tags__"))


def test_groups_are_ignored_as_by_time_series_split():
    groups = np.arange(60) % 4
    assert folds(CV, X, Y, groups) == folds(CV, X, Y)
    assert CV.get_n_splits(X, Y, groups) == 3
    ours, theirs = (repr(cv.get_metadata_routing()) for cv in (CV, TimeSeriesSplit()))
    assert ours.replace("WalkForwardSplit", "TimeSeriesSplit") == theirs
    assert repr(GroupKFold().get_metadata_routing()) != theirs


def test_routed_weights_pass_by_the_splitter():
    weights = np.linspace(0.1, 2, 60)
    with sklearn.config_context(enable_metadata_routing=True):
        model = Ridge().set_fit_request(sample_weight=True).set_score_request(sample_weight=True)
        scores = cross_validate(model, X, Y, cv=CV, params={"sample_weight": weights})["test_score"]
        search = GridSearchCV(model, {"alpha": [1.0]}, cv=CV).fit(X, Y, sample_weight=weights)
    by_hand = [
        Ridge().fit(X[train], Y[train], weights[train]).score(X[test], Y[test], weights[test])
        for train, test in CV.split(X)
    ]
    np.testing.assert_allclose(scores, by_hand, rtol=1e-12)
    np.testing.assert_allclose([search.cv_results_[f"split{k}_test_score"][0] for k in range(3)], by_hand, rtol=1e-12)
