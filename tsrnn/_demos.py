"""What the jobs of ``tsrnn demo`` share: models run and scored one after the other, tables printed, files written."""

import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pandas as pd
from tqdm import tqdm


def choose(what: str, candidates: Mapping[str, Any], error: Callable[[Any], float]) -> Any:
    """Return the candidate whose `error` on the rows of validation is the smallest, and print the errors of all."""
    errors = {name: error(model) for name, model in tqdm(candidates.items(), desc=f"search, {what}", unit="fit")}
    print(f"  {what:10} " + ", ".join(f"{name} {value:.4g}" for name, value in errors.items()))
    return candidates[min(errors, key=errors.__getitem__)]


def run_models(
    models: Mapping[str, Any],
    forecast: Callable[[Any], pd.DataFrame],
    score: Callable[[pd.DataFrame], dict[str, float]],
) -> tuple[dict[str, pd.DataFrame], pd.DataFrame]:
    """Return the forecasts of each model, and a row of scores for each, with its seconds."""
    tables, scores = {}, {}
    for name, model in models.items():
        began = time.perf_counter()
        tables[name] = forecast(model)
        spent = time.perf_counter() - began
        scores[name] = score(tables[name]) | {"seconds": spent}
    return tables, pd.DataFrame(scores).T.rename_axis("model")


def printed(scores: pd.DataFrame, formats: Mapping[str, str]) -> str:
    """Return scores as text, each column in its format, such as "{:.3f}", and what is missing as nothing."""
    formatters = {name: words.format for name, words in {**formats, "seconds": "{:.1f}"}.items()}
    return scores.to_string(formatters=formatters, na_rep="")


def side_by_side(truth: str, tables: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """Return what came to be, under the name `truth`, beside the forecast of each model, by time."""
    rows = {name: table.set_index("time") for name, table in tables.items()}
    known = next(iter(rows.values()))["y_true"].rename(truth)
    return pd.concat([known, *(table["y_pred"].rename(name) for name, table in rows.items())], axis=1)


def write(folder: Path, tables: Mapping[str, pd.DataFrame], draw: Callable[[Any], None]) -> None:
    """Write each table under its name and, with matplotlib, the figure that `draw` fills; say what was written."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, table in tables.items():
        table.to_csv(folder / name)
    names = list(tables)
    try:
        figure = new_figure()
    except ImportError as error:
        print(error)
    else:
        draw(figure)
        figure.savefig(folder / "forecast.png", dpi=110)
        names.append("forecast.png")
    print(f"Written to {folder.resolve()}: {', '.join(names)}")


def new_figure() -> Any:
    """Return an empty figure of 1210 x 770 dots that needs no screen."""
    try:
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.figure import Figure
    except ImportError as error:
        raise ImportError("No picture: it needs matplotlib. Install it: pip install 'tsrnn[plot]'") from error
    figure = Figure(figsize=(11, 7), layout="constrained")
    FigureCanvasAgg(figure)
    return figure
