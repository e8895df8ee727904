"""Recurrent networks for time series as scikit-learn estimators."""
