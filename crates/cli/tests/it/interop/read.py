"""Reads every file of a list with its real readers and compares every bit with what the engine computed."""

import json
import struct
import sys

import duckdb
import ml_dtypes
import numpy as np
import polars as pl
import pyarrow as pa
import pyarrow.csv
import pyarrow.ipc
import pyarrow.parquet
import safetensors
import safetensors.numpy

expected = json.load(open(sys.argv[1]))
steps = np.array(expected["steps"])
points = np.array(expected["points"])
names = expected["parameters"]
schedules = len(points)
DTYPES = {"f64": np.float64, "f32": np.float32, "f16": np.float16, "bf16": ml_dtypes.bfloat16}


def same(found, wanted, what):
    found, wanted = np.ascontiguousarray(found), np.ascontiguousarray(wanted)
    assert found.dtype == wanted.dtype, f"{what}: {found.dtype} for {wanted.dtype}"
    assert found.shape == wanted.shape, f"{what}: {found.shape} for {wanted.shape}"
    assert found.tobytes() == wanted.tobytes(), f"{what}: other bits"


def wanted_tables(file):
    """lr and momentum as [schedule, step]."""
    dtype = DTYPES[file["dtype"]]
    shape = (schedules, len(steps))
    return {name: np.frombuffer(bytes.fromhex(file[name]), dtype).reshape(shape) for name in ("lr", "momentum")}


def arranged(table, file):
    return table.T if file["layout"] == "step" else table


def npy(file, tables):
    companion = file["path"].removesuffix(".npy") + ".momentum.npy"
    for path, name in ((file["path"], "lr"), (companion, "momentum")):
        same(np.load(path), arranged(tables[name], file), path)
        mapped = np.load(path, mmap_mode="r")
        assert isinstance(mapped, np.memmap)
        same(mapped, arranged(tables[name], file), path)
    parameters = pl.read_csv(file["path"].removesuffix(".npy") + ".parameters.csv")
    assert parameters.columns == ["schedule", *names]
    same(parameters.select(names).cast(pl.Float64).to_numpy(), points, "parameters")


def safetensors_(file, tables):
    path = file["path"]
    with safetensors.safe_open(path, framework="np") as opened:
        assert sorted(opened.keys()) == sorted(["lr", "momentum", *(f"parameters.{name}" for name in names)])
        metadata = opened.metadata()
    assert metadata["spec"] == expected["spec"] and metadata["spec_hash"].startswith("blake3:")
    loaded = safetensors.numpy.load_file(path)
    for name in ("lr", "momentum"):
        same(loaded[name], arranged(tables[name], file), path)
    for index, name in enumerate(names):
        same(loaded[f"parameters.{name}"], points[:, index], path)
    # What torch's reader relies on: an aligned header, and tensors that follow each other without a gap.
    data = open(path, "rb").read()
    (length,) = struct.unpack("<Q", data[:8])
    assert length % 8 == 0 and data[8:9] == b"{"
    header = json.loads(data[8 : 8 + length])
    header.pop("__metadata__")
    end = 0
    for tensor in sorted(header.values(), key=lambda tensor: tensor["data_offsets"]):
        start, stop = tensor["data_offsets"]
        size = {"F64": 8, "F32": 4, "F16": 2, "BF16": 2}[tensor["dtype"]]
        assert start == end and start % size == 0 and stop - start == size * np.prod(tensor["shape"])
        end = stop
    assert 8 + length + end == len(data)


def columns(file, tables):
    """Every column of a table whose rows are values."""
    row, column = np.meshgrid(np.arange(schedules), np.arange(len(steps)), indexing="ij")
    row, column = arranged(row, file).ravel(), arranged(column, file).ravel()
    wanted = {"schedule": row, **{name: points[row, index] for index, name in enumerate(names)}}
    wanted["step"] = steps[column]
    return wanted | {name: arranged(tables[name], file).ravel() for name in tables}


def check_columns(get, file, tables, reader, float_type=None):
    for name, wanted in columns(file, tables).items():
        found = np.asarray(get(name))
        if name in ("schedule", "step"):
            assert np.array_equal(found, wanted), f"{reader} {file['path']} {name}"
        else:
            if name in tables and float_type is not None:
                wanted = wanted.astype(float_type)
            same(found, wanted, f"{reader} {file['path']} {name}")


def check_lists(get, file, tables, reader, float_type=None):
    for name in tables:
        wanted = tables[name] if float_type is None else tables[name].astype(float_type)
        same(np.stack([np.asarray(row, wanted.dtype) for row in get(name)]), wanted, f"{reader} {file['path']}")
    for index, name in enumerate(names):
        same(np.asarray(get(name)), points[:, index], reader)


def csv(file, tables):
    dtype = DTYPES[file["dtype"]]
    order = ["schedule", *names, "step", "lr", "momentum"]
    frame, table = pl.read_csv(file["path"]), pyarrow.csv.read_csv(file["path"])
    query = duckdb.sql(f"select * from read_csv('{file['path']}')").fetchnumpy()
    assert frame.columns == order and table.column_names == order
    for reader, get in (
        ("polars", lambda name: frame[name].to_numpy()),
        ("pyarrow", lambda name: table[name].to_numpy()),
        ("duckdb", lambda name: query[name]),
    ):
        # As text, numbers have no type of their own: each rounds to the one that was written.
        cast = lambda name: np.asarray(get(name)).astype(dtype if name in tables else np.float64)
        check_columns(lambda name: get(name) if name in ("schedule", "step") else cast(name), file, tables, reader)


def columnar(file, tables):
    path, ending = file["path"], file["format"]
    if ending == "parquet":
        table = pyarrow.parquet.read_table(path)
        frame = pl.read_parquet(path)
        query = duckdb.sql(f"select * from '{path}'")
        metadata = pyarrow.parquet.read_metadata(path).metadata
    else:
        mapped = pa.memory_map(path)
        table = pyarrow.ipc.open_file(mapped).read_all()
        # Mapped, not copied.
        assert pa.total_allocated_bytes() < table.nbytes or table.nbytes < 1 << 20
        frame, arrow_table = pl.read_ipc(path), table
        # duckdb has no f16 of its own, and takes it from Parquet only.
        query = duckdb.sql("select * from arrow_table") if file["dtype"] != "f16" else None
        metadata = table.schema.metadata
    assert metadata[b"spec"].decode() == expected["spec"]
    check = check_columns if file["rows"] == "value" else check_lists
    check(lambda name: table[name].to_numpy(zero_copy_only=False), file, tables, "pyarrow")
    check(lambda name: frame[name].to_numpy(), file, tables, "polars")
    if query is not None:
        widened = np.float32 if file["dtype"] == "f16" else None
        if file["rows"] == "value":
            found = query.fetchnumpy()
            check(lambda name: found[name], file, tables, "duckdb", widened)
        else:
            names_ = [column[0] for column in query.description]
            rows = query.fetchall()
            check(lambda name: [row[names_.index(name)] for row in rows], file, tables, "duckdb", widened)


READERS = {"npy": npy, "safetensors": safetensors_, "csv": csv, "parquet": columnar, "arrow": columnar}
for file in expected["files"]:
    READERS[file["format"]](file, wanted_tables(file))
    print("read", file["path"])
