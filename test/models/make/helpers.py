"""A module that the model from code imports."""


def scale(values, factor):
    return values * factor
