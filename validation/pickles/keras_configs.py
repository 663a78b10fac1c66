"""Lists what the configuration of a Keras model would import and call when the model is loaded.

Keras keeps the layers of a model as JSON: `config.json` in a `.keras` file, the attributes `model_config` and
`training_config` of an HDF5 file, `keras_metadata.pb` beside a SavedModel. A Lambda layer has the byte code of a Python
function in it, and an object names the module and class that Keras imports.
"""

import io
import json
import re

HDF5 = b"\x89HDF\r\n\x1a\n"
#: An HDF5 file begins here, because a block of the user's may come first.
HDF5_OFFSETS = [0, *(512 << shift for shift in range(12))]
ATTRIBUTES = re.compile(rb"(?:model|training)_config")
CLASS_NAME = b'"class_name"'
OBJECT = re.compile(rb'\{\s*"')
CHUNK, OVERLAP = 16 << 20, 64
#: The longest configuration that is read, and how much JSON there may be in one file.
TEXT, TEXTS = 64 << 20, 256 << 20
FUNCTION = ("", "the byte code of a function (Lambda layer)")
#: Keras names its own functions in this way, and takes other ones only from the code that loads the model.
FUNCTION_NAMES = {"function"}


class Unreadable(Exception):
    """The end of a sentence: why a configuration was not read."""


def is_hdf5(file):
    for offset in HDF5_OFFSETS:
        file.seek(offset)
        if file.read(len(HDF5)) == HDF5:
            return True
    return False


def list_hdf5(file):
    """The names in the configurations of an HDF5 file, which never compresses the text of attributes."""
    if not any(ATTRIBUTES.search(chunk) for _, chunk in read_chunks(file)):
        return {}
    return list_embedded(file)


def list_embedded(file):
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
    if count == 0:
        raise Unreadable("its Keras configuration is not readable JSON")
    return imports


def list_config(data):
    """The names in `config.json`, which many other libraries have too."""
    try:
        value = json.loads(data)
    except (ValueError, RecursionError):
        if CLASS_NAME in data:
            raise Unreadable("its configuration is not readable JSON") from None
        return {}
    imports = {}
    if isinstance(value, dict) and "class_name" in value:
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
    if isinstance(name, str) and isinstance(module, str) and not (module == "builtins" and name in FUNCTION_NAMES):
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
