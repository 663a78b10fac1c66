"""Keras on TensorFlow, whose runtime starts threads when the model is loaded."""

import keras
import mlflow
import numpy as np
from mlflow.models import ModelSignature
from mlflow.types import Schema, TensorSpec


def make(path: str, **saved) -> None:
    keras.utils.set_random_seed(0)
    layers = [keras.Input((2,)), keras.layers.Rescaling(1e-4), keras.layers.Dense(32, "tanh"), keras.layers.Dense(1)]
    model = keras.Sequential(layers)
    model.compile("sgd", "mse")
    model.fit(np.ones((8, 2)), np.ones(8), verbose=0)
    signature = ModelSignature(Schema([TensorSpec(np.dtype("float64"), (-1, 2))]))
    mlflow.tensorflow.save_model(model, path, **{**saved, "signature": signature})
