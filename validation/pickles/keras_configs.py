"""Lists what the configuration of a Keras model would import and call when the model is loaded.

Keras keeps the layers of a model as JSON: `config.json` in a `.keras` file, the attributes `model_config` and
`training_config` of an HDF5 file, `keras_metadata.pb` beside a SavedModel, and `saved_model.pb` where that is missing.
A Lambda layer has the byte code of a Python function in it, and an object names the module and class that Keras
imports.
"""

import builtins
import io
import json
import re

HDF5 = b"\x89HDF\r\n\x1a\n"
ATTRIBUTES = re.compile(rb"(?:model|training)_config")
CLASS_NAME = b'"class_name"'
OBJECT = re.compile(rb'\{\s*"')
CHUNK, OVERLAP = 16 << 20, 64
#: The longest configuration that is read, and how much JSON there may be in one file.
TEXT, TEXTS = 64 << 20, 256 << 20
FUNCTION = ("", "the byte code of a function (Lambda layer)")
#: The class of a function, whose name is then in `config`. With the module `builtins` it is one of Keras's own
#: functions, one of the code that loads the model, or else one of Python's.
FUNCTION_NAMES = {"function"}


class Unreadable(Exception):
    """The end of a sentence: why a configuration was not read."""


def is_hdf5(file):
    """A block of the user's may come first, whose size is a power of two."""
    size, offset = file.seek(0, io.SEEK_END), 0
    while offset < size:
        file.seek(offset)
        if file.read(len(HDF5)) == HDF5:
            return True
        offset = max(512, offset * 2)
    return False


def list_hdf5(file):
    """The names in the configurations of an HDF5 file, which never compresses the text of attributes."""
    if not any(ATTRIBUTES.search(chunk) for _, chunk in read_chunks(file)):
        return {}
    return list_embedded(file)


def list_saved_model(file):
    """TensorFlow reads layers from `saved_model.pb` where there is no `keras_metadata.pb`. Most have none."""
    return list_embedded(file, required=any(CLASS_NAME in chunk for _, chunk in read_chunks(file)))


def list_embedded(file, required=True):
    """The names in every JSON object that a file of another format contains."""
    imports, count, total, end = {}, 0, 0, 0
    for start in [start for position, chunk in read_chunks(file) for start in find_objects(position, chunk)]:
        if start < end:
            continue
        file.seek(start)
        text = read_text(file)
        total += len(text)
        if total > TEXTS:
            raise Unreadable("it has more configuration than the scan reads")
        try:
            value, length = json.JSONDecoder().raw_decode(text)
        except RecursionError:
            raise Unreadable("its configuration is nested too deeply") from None
        except ValueError:
            continue
        end = start + len(text[:length].encode())
        count += isinstance(value, dict) and "class_name" in value
        list_objects(value, imports)
    if count == 0 and required:
        raise Unreadable("its Keras configuration is not readable JSON")
    return imports


def list_config(file):
    """The names in `config.json`, which many other libraries have too."""
    data = file.read(TEXTS + 1)
    if len(data) > TEXTS:
        raise Unreadable("its configuration is longer than the scan reads")
    try:
        value = json.loads(data)
    except (ValueError, RecursionError):
        if CLASS_NAME in data:
            raise Unreadable("its configuration is not readable JSON") from None
        return {}
    imports = {}
    list_objects(value, imports)
    return imports


def list_objects(value, imports):
    todo = [value]
    while todo:
        value = todo.pop()
        if isinstance(value, dict):
            list_object(value, imports)
            todo.extend(value.values())
        elif isinstance(value, list):
            todo.extend(value)


def list_object(value, imports):
    name, module = value.get("class_name"), value.get("module")
    if name == "__lambda__" or (name == "Lambda" and has_code(value.get("config"))):
        imports[FUNCTION] = True
    if name in FUNCTION_NAMES and isinstance(value.get("config"), str):
        name = value["config"]
        if module == "builtins" and not hasattr(builtins, name):
            return
    if isinstance(name, str) and isinstance(module, str):
        imports[(module, name)] = True


def has_code(config):
    """Whether a layer of Keras 2 has a function as byte code. One that it names is of the code that loads the model."""
    if not isinstance(config, dict):
        return False
    fields = ("function", "output_shape", "mask")
    return any(
        config.get(f"{field}_type") == "lambda" or (field != "output_shape" and not is_named(config.get(field)))
        for field in fields
    )


def is_named(function):
    if isinstance(function, dict):
        return function.get("class_name") in FUNCTION_NAMES
    return function is None or isinstance(function, str)


def read_chunks(file):
    """Pairs of a position and the bytes there. Each chunk repeats the end of the one before."""
    position = 0
    file.seek(0)
    rest = b""
    while block := file.read(CHUNK):
        yield position - len(rest), rest + block
        position += len(block)
        rest = block[-OVERLAP:]


def find_objects(position, chunk):
    return (position + found.start() for found in OBJECT.finditer(chunk))


def read_text(file):
    """What is there up to a NUL, which JSON has not, and which follows each text in these formats."""
    text = io.BytesIO()
    while block := file.read(4096 if text.tell() == 0 else CHUNK):
        end = block.find(b"\0")
        text.write(block if end < 0 else block[:end])
        if text.tell() > TEXT:
            raise Unreadable("its configuration is longer than the scan reads")
        if end >= 0:
            break
    return text.getvalue().decode("utf-8", "replace")
