"""Write the golden files of a format: `python tests/golden/make.py`. Those of earlier formats stay as they are."""

import json
import sys
from pathlib import Path

import numpy as np

FOLDER = Path(__file__).parent
sys.path.insert(0, str(FOLDER.parent))

from estimators import make  # noqa: E402
from saved import CASES, VALUES  # noqa: E402

from tsrnn import GRUClassifier, LSTMRegressor, make_windows, save  # noqa: E402

if __name__ == "__main__":
    windows, targets = make_windows(VALUES, lookback=6, horizon=2)
    classes = np.where(targets[:, 0] > 0, "up", "down")
    network = make(LSTMRegressor, n_layers=2, bidirectional=True, epochs=5).fit(windows, targets)
    classifier = make(GRUClassifier, epochs=5).fit(windows, classes)
    series = {name: CASES[name][0]() for name in ("linear anchor", "panel", "seasonal naive")}
    answers = {
        "network": network.predict(windows[:3]).tolist(),
        "classifier": classifier.predict_proba(windows[:3]).tolist(),
        "linear anchor": series["linear anchor"].predict().tolist(),
        "panel": [part.tolist() for part in series["panel"].predict().values()],
        "seasonal naive": series["seasonal naive"].predict().tolist(),
    }
    for name, estimator in {"network": network, "classifier": classifier, **series}.items():
        save(estimator, FOLDER / f"1-{name.replace(' ', '-')}.tsrnn")
    (FOLDER / "1.json").write_text(json.dumps(answers, indent=1) + "\n", encoding="utf-8")
