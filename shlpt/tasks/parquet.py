"""A Parquet file as JSON lines, in a process of its own: `python parquet.py FILE`. It imports nothing of shlpt.

The library reads pages of a size that the file itself declares, so a small file can ask for gigabytes, and a damaged
one can crash it. Here that ends this process and not the app. Dictionary pages stay dictionaries until their longest
text is known, because one long text that every row points to takes no room in the file.
"""

import json
import sys
from contextlib import suppress
from typing import Any

ROWS, COLUMNS = 200_000, 100
TEXT_BYTES = 64 * 2**20  # of all texts, unpacked
CELL_BYTES = 400_000
MEMORY_BYTES = 320 * 2**20  # that this process may take beside its code
BATCH = 64
CLOSED, REFUSED = 3, 4  # exit codes


class TooMuch(Exception):
    """Refused, with the reason."""


def limit_memory() -> None:
    """A declared size of gigabytes then fails at once. Not every system can do this."""
    with suppress(ImportError, ValueError, OSError):
        import resource

        resource.setrlimit(resource.RLIMIT_DATA, (MEMORY_BYTES, MEMORY_BYTES))


def is_text(kind: Any) -> bool:
    import pyarrow.types as t

    kind = kind.value_type if t.is_dictionary(kind) else kind
    return t.is_string(kind) or t.is_large_string(kind)


def convert(path: str) -> None:
    """Print the columns that are left out, then a line for each row."""
    import pyarrow as pa
    import pyarrow.compute as pc
    import pyarrow.parquet as pq
    import pyarrow.types as t

    pa.set_memory_pool(pa.system_memory_pool())
    pa.set_cpu_count(1)
    pa.set_io_thread_count(1)
    limit_memory()
    file = pq.ParquetFile(path, thrift_string_size_limit=10**7, thrift_container_size_limit=10**6)
    meta, schema = file.metadata, file.schema_arrow
    if meta.num_rows > ROWS or len(schema) > COLUMNS:
        raise TooMuch(
            f"it has {meta.num_rows:,} rows and {len(schema)} columns: at most {ROWS:,} and {COLUMNS} are read"
        )
    texts = [field.name for field in schema if is_text(field.type)]
    plain = [field.name for field in schema if t.is_integer(field.type) or t.is_boolean(field.type)]
    unpacked = 0
    for group in range(meta.num_row_groups):
        part = meta.row_group(group)
        unpacked += sum(part.column(c).total_uncompressed_size for c in range(part.num_columns))
    if unpacked > 2 * TEXT_BYTES:
        raise TooMuch(
            f"it holds {unpacked / 2**20:,.0f} MB when unpacked: at most {2 * TEXT_BYTES / 2**20:.0f} MB are read"
        )
    columns = [name for name in schema.names if name in texts or name in plain]
    say([name for name in schema.names if name not in columns])
    file = pq.ParquetFile(
        path, read_dictionary=texts, thrift_string_size_limit=10**7, thrift_container_size_limit=10**6
    )
    for batch in file.iter_batches(BATCH, columns=columns, use_threads=False):
        for name in texts:
            column = batch.column(name)
            values = column.dictionary if t.is_dictionary(column.type) else column
            longest = pc.max(pc.binary_length(values)).as_py() or 0
            if longest > CELL_BYTES:
                raise TooMuch(f"a text in column {name!r} has {longest:,} bytes: at most {CELL_BYTES:,} are read")
        for row in batch.to_pylist():
            say(row)


def say(value: Any) -> None:
    sys.stdout.write(json.dumps(value) + "\n")


def refused(reason: str) -> int:
    sys.stderr.write(reason)
    return REFUSED


def main() -> int:
    sys.stdout.reconfigure(encoding="utf-8")  # type: ignore[union-attr]
    try:
        convert(sys.argv[1])
        sys.stdout.flush()
    except BrokenPipeError:  # the reader has seen enough
        sys.stderr.close()
        return CLOSED
    except TooMuch as error:
        return refused(str(error))
    except MemoryError:
        return refused("it needs too much memory")
    except Exception as error:  # the library raises many kinds
        return refused(f"it is damaged ({(str(error) or type(error).__name__).splitlines()[0][:200]})")
    return 0


if __name__ == "__main__":
    sys.exit(main())
