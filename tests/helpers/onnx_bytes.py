"""A small ONNX file, written byte by byte: the mean of each picture. No package is needed."""


def mean_of_pictures(shape=("n", 3, "h", "w"), elem_type=1, axes=(1, 2, 3)):
    """The bytes of a model with one input of this shape; a text is a dimension that is free."""
    node = (
        _field(1, b"pictures")
        + _field(2, b"mean")
        + _field(4, b"ReduceMean")
        + _field(5, _field(1, b"axes") + b"".join(_number(8, a) for a in axes) + _number(20, 7))
        + _field(5, _field(1, b"keepdims") + _number(3, 0) + _number(20, 2))
    )
    graph = (
        _field(1, node)
        + _field(2, b"graph")
        + _field(11, _value(b"pictures", elem_type, shape))
        + _field(12, _value(b"mean", elem_type, shape[:1]))
    )
    opset = _field(1, b"") + _number(2, 13)
    return _number(1, 8) + _field(7, graph) + _field(8, opset)


def _value(name, elem_type, shape):
    dims = b"".join(
        _field(1, _number(1, one) if isinstance(one, int) else _field(2, one.encode()))
        for one in shape
    )
    tensor = _number(1, elem_type) + _field(2, dims)
    return _field(1, name) + _field(2, _field(1, tensor))


def _field(number, content):
    return _varint(number << 3 | 2) + _varint(len(content)) + content


def _number(number, value):
    return _varint(number << 3) + _varint(value)


def _varint(value):
    found = bytearray()
    while value > 127:
        found.append(value & 127 | 128)
        value >>= 7
    return bytes([*found, value])
