"""Sparkplug B's protobuf, as its specification numbers the fields; those that nothing is read of are left out.

`protobuf` is an extra, since other programs often pin its version: it is loaded when a first message comes.
"""

from functools import cache
from typing import Any

_PACKAGE = "millpond.sparkplug"
# By field: its number and its type of protobuf; `Metric` repeats.
_METRIC = {
    "name": (1, "STRING"),
    "alias": (2, "UINT64"),
    "timestamp": (3, "UINT64"),
    "datatype": (4, "UINT32"),
    "is_historical": (5, "BOOL"),
    "is_transient": (6, "BOOL"),
    "is_null": (7, "BOOL"),
    "int_value": (10, "UINT32"),
    "long_value": (11, "UINT64"),
    "float_value": (12, "FLOAT"),
    "double_value": (13, "DOUBLE"),
    "boolean_value": (14, "BOOL"),
    "string_value": (15, "STRING"),
}
_PAYLOAD = {"timestamp": (1, "UINT64"), "seq": (3, "UINT64"), "uuid": (4, "STRING")}
_METRICS_NUMBER = 2
VALUES = tuple(name for name in _METRIC if name.endswith("_value"))


@cache
def payload_class() -> Any:
    """The class of a payload. Raises ValueError when `protobuf` is not installed."""
    try:
        from google.protobuf import descriptor_pb2, descriptor_pool, message_factory
    except ImportError:
        raise ValueError("Sparkplug B needs protobuf: `pip install protobuf`") from None
    file = descriptor_pb2.FileDescriptorProto(name="sparkplug_b.proto", package=_PACKAGE, syntax="proto2")
    for name, fields in (("Metric", _METRIC), ("Payload", _PAYLOAD)):
        message = file.message_type.add(name=name)
        for field, (number, kind) in fields.items():
            kind_number = descriptor_pb2.FieldDescriptorProto.Type.Value(f"TYPE_{kind}")
            message.field.add(name=field, number=number, label=1, type=kind_number)
    metrics = file.message_type[1].field.add(name="metrics", number=_METRICS_NUMBER, label=3, type=11)
    metrics.type_name = f".{_PACKAGE}.Metric"
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    return message_factory.GetMessageClass(pool.FindMessageTypeByName(f"{_PACKAGE}.Payload"))
