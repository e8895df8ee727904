"""Several series at once: how a user writes them, and the form in which the answer comes back."""

from collections.abc import Hashable
from dataclasses import dataclass, field
from typing import Any

import pandas as pd

from tsrnn._series import Floats, Form
from tsrnn._validation import name_of


@dataclass
class Track:
    """One series as a forecaster holds it.

    Parameters
    ----------
    name : hashable or None
        Its name in a panel; None for a series alone.
    target : array of shape (n_steps, n_targets)
        The series.
    covariates : array of shape (n_steps or more, n_covariates) or None
        What stands beside it; known-future columns may reach beyond the series.
    index : pandas.Index or None
        The stamps of its rows.
    learnt : object, default=None
        What a forecaster has learnt of this series alone.
    """

    name: Hashable
    target: Floats
    covariates: Floats | None
    index: pd.Index | None
    learnt: Any = field(default=None, repr=False)


@dataclass(frozen=True)
class PanelForm:
    """How the user wrote several series: as a dict, or with a MultiIndex (series, time)."""

    kind: str
    names: list[Any]

    def dress(self, parts: dict[Any, Any]) -> Any:
        """Return the forecasts of each series in this form."""
        return parts if self.kind == "dict" else pd.concat(parts, names=self.names)


def is_panel(data: Any) -> bool:
    """Return whether `data` holds several series: a dict of them, or rows with a MultiIndex."""
    return isinstance(data, dict) or (isinstance(data, pd.Series | pd.DataFrame) and data.index.nlevels > 1)


def panel_form(owner: object, data: Any) -> PanelForm | None:
    """Return how several series are written; None for one series."""
    if not is_panel(data):
        return None
    if isinstance(data, dict):
        return PanelForm("dict", [])
    if data.index.nlevels > 2:
        raise TypeError(
            f"{name_of(owner)}: the index has {data.index.nlevels} levels; a panel has two, (series, time). Join the "
            "levels that name a series into one."
        )
    return PanelForm("rows", list(data.index.names))


def split(owner: object, data: Any, what: str) -> dict[Any, Any]:
    """Return the series of a panel by their names, each with the index of its time alone."""
    if not is_panel(data):
        raise TypeError(
            f"{name_of(owner)}: {what} must hold several series as those of the fit, in a dict or with a MultiIndex "
            f"(series, time); got {type(data).__name__}."
        )
    if isinstance(data, dict):
        parts = data
    else:
        parts = {name: rows.droplevel(0) for name, rows in data.groupby(level=0, sort=False)}
    if not parts:
        raise ValueError(f"{name_of(owner)}: {what} holds no series.")
    return parts


def forms_agree(owner: object, forms: dict[Any, Form]) -> Form:
    """Return the one form of all series; raise unless they have the same columns."""
    first, *_ = forms.values()
    for name, form in forms.items():
        if form.kind != first.kind or (form.kind != "series" and form.names != first.names):
            raise ValueError(
                f"{name_of(owner)}: all series must have one form and the same columns; {next(iter(forms))!r} is a "
                f"{first.kind} of {first.names}, {name!r} a {form.kind} of {form.names}."
            )
    return first


def same_series(owner: object, left: dict[Any, Any], right: dict[Any, Any]) -> None:
    """Raise unless X and y name the same series."""
    missing = [name for name in right if name not in left] or [name for name in left if name not in right]
    if missing:
        raise ValueError(f"{name_of(owner)}: X and y must hold the same series; {missing[0]!r} is in one of them only.")
