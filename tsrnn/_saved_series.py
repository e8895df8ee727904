"""How the parts of a forecaster agree: what each is alone, the table tells."""

from collections.abc import Mapping
from numbers import Integral
from typing import Any

from tsrnn._index_nodes import UnfitError
from tsrnn._panels import Track


def check_agreement(forecaster: Any) -> None:
    """Raise unless the series of a forecaster have the names, widths and stamps that the rest of it speaks of."""
    if "_tracks" not in vars(forecaster):
        return
    _check_counts(forecaster._parameters)
    tracks, form, n_targets = forecaster._tracks, forecaster._form, forecaster.n_targets_
    if not tracks or (forecaster._panel is None and set(tracks) != {None}):
        raise UnfitError("a forecaster of one series must know one without a name, and one of a panel some series")
    if len(form.names) != n_targets or (form.kind in ("series", "vector") and n_targets != 1):
        raise UnfitError("`_form` must have as many names as `n_targets_` says")
    for known in (tracks, forecaster._fit_tracks):
        for name, track in known.items():
            _check_track(name, track, n_targets)
    _check_columns(forecaster)
    _check_index(forecaster.index_, tracks, forecaster._panel is None)


def _check_counts(parameters: Mapping[str, Any]) -> None:
    """Raise unless the parameters of the fit that count steps do so; those that were set since may be anything."""
    for name in ("horizon", "lookback", "season_length", "window"):
        value = parameters.get(name)
        counts = value if isinstance(value, list | tuple) else [] if value is None else [value]
        if not all(isinstance(count, Integral) and int(count) > 0 for count in counts):
            raise UnfitError(f"`{name}` of the fit must count steps; got {value!r}")


def _check_columns(forecaster: Any) -> None:
    count = len(forecaster._columns)
    used = [*forecaster._past_columns, *forecaster._static_columns, *forecaster._future_columns]
    if not all(0 <= column < count for column in used):
        raise UnfitError("the columns of covariates must be among `_columns`")


def _check_index(index: Any, tracks: Mapping[Any, Track], is_alone: bool) -> None:
    if isinstance(index, Mapping) == is_alone or (not is_alone and set(index) != set(tracks)):
        raise UnfitError("`index_` must hold the series of `_tracks`")
    for each in {id(each): each for each in ([index] if is_alone else index.values())}.values():
        # What goes on behind it is counted by these two steps.
        if len(each) > 1 and not (each[0] < each[1] and each[-2] < each[-1]):
            raise UnfitError("`index_` must increase")
    for name, track in tracks.items():
        if len(index if is_alone else index[name]) < len(track.target):
            raise UnfitError(f"`index_` must have a stamp for each step of the series {name!r}")


def _check_track(name: Any, track: Track, n_targets: int) -> None:
    if track.name != name or track.target.shape[1] != n_targets:
        raise UnfitError(f"the series {name!r} has another name, or more or fewer targets, than its forecaster says")
    # What a copy has learnt from without its last steps has the stamps and covariates of all.
    beside = [len(part) for part in (track.index, track.covariates) if part is not None]
    needed: Any = getattr(track.learnt, "_needed", 1)
    if not isinstance(needed, Integral) or not 0 < int(needed) <= len(track.target):
        raise UnfitError(f"the series {name!r} has fewer steps than are needed")
    if any(count < len(track.target) for count in beside):
        raise UnfitError(f"the series {name!r} has fewer stamps or covariates than steps")


def check_scales(detector: Any) -> None:
    """Raise unless a detector knows a scale for each series of its forecaster, of all steps and targets or of none."""
    if "_scales" not in vars(detector):
        return
    forecaster, scales = detector.forecaster_, detector._scales
    if "_tracks" not in vars(forecaster) or set(scales) != set(forecaster._tracks):
        raise UnfitError("`_scales` must hold the series of the forecaster")
    shape = (forecaster._parameters["horizon"], forecaster.n_targets_)
    if any(scale.shape not in (shape, (1,)) for scale in scales.values()):
        raise UnfitError("`_scales` must have a row for each step and a column for each target")
