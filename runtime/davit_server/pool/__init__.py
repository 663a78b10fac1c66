"""The front's side of the model's processes: it starts, assigns and replaces them."""
