"""An agent with MLflow's interface for chats, from code."""

from mlflow.models import set_model
from mlflow.pyfunc import ChatAgent
from mlflow.types.agent import ChatAgentMessage, ChatAgentResponse


class Parrot(ChatAgent):
    def predict(self, messages, context=None, custom_inputs=None):
        text = " ".join(message.content or "" for message in messages)
        return ChatAgentResponse(messages=[ChatAgentMessage(role="assistant", id="1", content=text)])


set_model(Parrot())
