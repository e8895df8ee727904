"""Recurrent networks for time series as scikit-learn estimators."""

from tsrnn._validation import (
    InvalidParameterError,
    ModelFileError,
    ModelSaveError,
    ModelVersionError,
    TrainingDivergedError,
)
from tsrnn.anomalies import ForecastAnomalyDetector
from tsrnn.baselines import DriftForecaster, NaiveForecaster, SeasonalNaiveForecaster, WindowAverageForecaster
from tsrnn.calendars import CalendarFeatures
from tsrnn.classical import ETSForecaster, SARIMAXForecaster, STLForecaster, ThetaForecaster
from tsrnn.classifiers import GRUClassifier, LSTMClassifier, SimpleRNNClassifier
from tsrnn.comparison import Comparison, compare
from tsrnn.datasets import load_ecg, load_electricity_demand, load_sp500
from tsrnn.diagnostics import residual_diagnostics
from tsrnn.evaluation import backtest
from tsrnn.fetchers import (
    fetch_ett,
    fetch_exchange_rates,
    fetch_m4_hourly,
    fetch_pjm,
    fetch_valencia_air,
    fetch_victoria_electricity,
)
from tsrnn.forecast_streams import ForecastStream
from tsrnn.forecasting import Forecaster
from tsrnn.interval_metrics import interval_coverage, interval_score
from tsrnn.metrics import (
    mean_absolute_scaled_error,
    root_mean_squared_scaled_error,
    symmetric_mean_absolute_percentage_error,
)
from tsrnn.model_selection import WalkForwardSplit
from tsrnn.persistence import load, save
from tsrnn.physionet import fetch_mitbih
from tsrnn.plotting import ForecastDisplay
from tsrnn.regressors import GRURegressor, LSTMRegressor, SimpleRNNRegressor
from tsrnn.seasons import find_seasons, suggest_lookback
from tsrnn.skill import DieboldMarianoResult, diebold_mariano, overall_weighted_average, skill_score
from tsrnn.streams import RegressorStream
from tsrnn.transformers import Differencer, SequenceScaler, WindowTransformer
from tsrnn.windows import Windows, make_windows

__all__ = [
    "CalendarFeatures",
    "Comparison",
    "DieboldMarianoResult",
    "Differencer",
    "DriftForecaster",
    "ETSForecaster",
    "ForecastAnomalyDetector",
    "ForecastDisplay",
    "ForecastStream",
    "Forecaster",
    "GRUClassifier",
    "GRURegressor",
    "InvalidParameterError",
    "LSTMClassifier",
    "LSTMRegressor",
    "ModelFileError",
    "ModelSaveError",
    "ModelVersionError",
    "NaiveForecaster",
    "RegressorStream",
    "SARIMAXForecaster",
    "STLForecaster",
    "SeasonalNaiveForecaster",
    "SequenceScaler",
    "SimpleRNNClassifier",
    "SimpleRNNRegressor",
    "ThetaForecaster",
    "TrainingDivergedError",
    "WalkForwardSplit",
    "WindowAverageForecaster",
    "WindowTransformer",
    "Windows",
    "backtest",
    "compare",
    "diebold_mariano",
    "fetch_ett",
    "fetch_exchange_rates",
    "fetch_m4_hourly",
    "fetch_mitbih",
    "fetch_pjm",
    "fetch_valencia_air",
    "fetch_victoria_electricity",
    "find_seasons",
    "interval_coverage",
    "interval_score",
    "load",
    "load_ecg",
    "load_electricity_demand",
    "load_sp500",
    "make_windows",
    "mean_absolute_scaled_error",
    "overall_weighted_average",
    "residual_diagnostics",
    "root_mean_squared_scaled_error",
    "save",
    "skill_score",
    "suggest_lookback",
    "symmetric_mean_absolute_percentage_error",
]
