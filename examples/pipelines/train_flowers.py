"""Trains a classifier of flowers by their petals and sepals, once for each learning rate, and keeps the best.

The flowers are generated and the model is plain Python, so the pipeline needs neither network nor packages.
"""

from typing import List, NamedTuple

from kfp import dsl
from kfp.dsl import ClassificationMetrics, Dataset, Input, Metrics, Model, Output


@dsl.component
def make_flowers(count: int, seed: int, train: Output[Dataset], test: Output[Dataset]):
    """Draws flowers of three kinds around their typical sizes in centimetres; every fourth is kept for the test."""
    import csv
    import random

    typical = {
        "reed": (5.0, 3.4, 1.5, 0.3),
        "meadow": (5.9, 2.8, 4.3, 1.3),
        "marsh": (6.6, 3.0, 5.5, 2.0),
    }
    draw = random.Random(seed)
    kinds = list(typical)
    with open(train.path, "w", newline="") as train_file, open(test.path, "w", newline="") as test_file:
        writers = [csv.writer(train_file), csv.writer(test_file)]
        for number in range(count):
            kind = kinds[draw.randrange(len(kinds))]
            sizes = [f"{draw.gauss(size, 0.35):.2f}" for size in typical[kind]]
            writers[number % 4 == 3].writerow([*sizes, kind])
    train.metadata["rows"] = count - count // 4
    test.metadata["rows"] = count // 4


@dsl.component
def train_model(train: Input[Dataset], learning_rate: float, epochs: int, seed: int, model: Output[Model]) -> float:
    """Softmax regression by stochastic gradient descent. Returns the mean loss of the last epoch."""
    import csv
    import json
    import math
    import random

    with open(train.path, newline="") as file:
        rows = [([*map(float, row[:-1]), 1.0], row[-1]) for row in csv.reader(file)]
    kinds = sorted({kind for _, kind in rows})
    weights = {kind: [0.0] * 5 for kind in kinds}
    shuffle = random.Random(seed)
    loss = 0.0
    for epoch in range(epochs):
        shuffle.shuffle(rows)
        loss = 0.0
        for sizes, truth in rows:
            scores = {kind: sum(w * x for w, x in zip(weights[kind], sizes)) for kind in kinds}
            highest = max(scores.values())
            parts = {kind: math.exp(score - highest) for kind, score in scores.items()}
            total = sum(parts.values())
            loss -= math.log(max(parts[truth] / total, 1e-12))
            for kind in kinds:
                error = parts[kind] / total - (kind == truth)
                weights[kind] = [w - learning_rate * error * x for w, x in zip(weights[kind], sizes)]
        loss /= len(rows)
        print(f"epoch {epoch + 1}: loss {loss:.4f}")
    with open(model.path, "w") as file:
        json.dump(weights, file)
    model.framework = "plain Python"
    model.metadata["learning_rate"] = learning_rate
    return loss


@dsl.component
def evaluate(
    model: Input[Model],
    test: Input[Dataset],
    metrics: Output[Metrics],
    confusion: Output[ClassificationMetrics],
) -> float:
    """Classifies the test flowers. Returns the share that was right."""
    import csv
    import json

    with open(model.path) as file:
        weights = json.load(file)
    kinds = sorted(weights)
    matrix = [[0] * len(kinds) for _ in kinds]
    with open(test.path, newline="") as file:
        for *sizes, truth in csv.reader(file):
            values = [*map(float, sizes), 1.0]
            scores = [sum(w * x for w, x in zip(weights[kind], values)) for kind in kinds]
            matrix[kinds.index(truth)][scores.index(max(scores))] += 1
    right = sum(matrix[i][i] for i in range(len(kinds)))
    accuracy = right / sum(map(sum, matrix))
    metrics.log_metric("accuracy", accuracy)
    metrics.log_metric("learning_rate", model.metadata["learning_rate"])
    confusion.log_confusion_matrix(kinds, matrix)
    print(f"accuracy {accuracy:.3f}")
    return accuracy


@dsl.component
def choose_best(
    learning_rates: List[float], accuracies: List[float]
) -> NamedTuple("Best", learning_rate=float, accuracy=float):
    """Picks the learning rate of the most accurate model, the first of several."""
    best = max(range(len(accuracies)), key=accuracies.__getitem__)
    for rate, accuracy in zip(learning_rates, accuracies):
        print(f"learning rate {rate}: accuracy {accuracy:.3f}")
    Best = NamedTuple("Best", learning_rate=float, accuracy=float)
    return Best(learning_rates[best], accuracies[best])


@dsl.pipeline(name="train-flowers", description="Trains a classifier once for each learning rate and keeps the best.")
def train_flowers(
    learning_rates: List[float] = [0.0001, 0.01, 0.1],
    flowers: int = 400,
    epochs: int = 12,
    seed: int = 7,
) -> NamedTuple("Outputs", best_learning_rate=float, best_accuracy=float, final_model=Model):
    data = make_flowers(count=flowers, seed=seed)
    with dsl.ParallelFor(learning_rates) as learning_rate:
        trained = train_model(
            train=data.outputs["train"], learning_rate=learning_rate, epochs=epochs, seed=seed
        )
        rated = evaluate(model=trained.outputs["model"], test=data.outputs["test"])
    best = choose_best(learning_rates=learning_rates, accuracies=dsl.Collected(rated.outputs["Output"]))
    final = train_model(
        train=data.outputs["train"], learning_rate=best.outputs["learning_rate"], epochs=epochs, seed=seed
    ).set_display_name("train-final-model")
    Outputs = NamedTuple("Outputs", best_learning_rate=float, best_accuracy=float, final_model=Model)
    return Outputs(best.outputs["learning_rate"], best.outputs["accuracy"], final.outputs["model"])
