"""A model from code: the nodes that can be reached, in order."""

import networkx
import pydantic
from mlflow.models import set_model
from mlflow.pyfunc import PythonModel


class Question(pydantic.BaseModel):
    start: str
    edges: list[list[str]]


class Reach(PythonModel):
    def predict(self, model_input: list[Question]) -> list[list[str]]:
        answers = []
        for question in model_input:
            graph = networkx.DiGraph([tuple(edge) for edge in question.edges])
            graph.add_node(question.start)
            answers.append(sorted(networkx.descendants(graph, question.start)))
        return answers


set_model(Reach())
