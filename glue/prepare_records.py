"""Training data from a DynamoDB table's export to S3: one row of CSV per item, in Spark.

A Glue job of one self-contained script: plain DataFrames, and of Glue only `getResolvedOptions`. Arguments:

    --export   prefix of the export's data objects, gzip of lines such as {"Item": {"price": {"N": "8"}}}
    --rows     prefix for CSV without a header
    --summary  prefix for one JSON object: items, rows, the numbers of rejected items by reason, and a sample of times with rows
    --recipe   JSON: `attributes` (the columns), `types` (N, or N and S), `number` (a pattern), `largest` (an absolute value),
               `time` (the attribute of the sample's times, empty for no sample)
    --items    number of items that the export has; a partial export is refused

It does what `functions/cutwatch/tables/recipe.py` does.
"""

import json
import sys

from pyspark.sql import Column, DataFrame, SparkSession
from pyspark.sql import functions as F
from pyspark.sql.types import BooleanType, StringType, StructField, StructType

MISSING, NOT_A_NUMBER, TOO_LARGE = "missing field", "not a number", "too large"
NOT_READABLE = "not JSON"
CONFIGURATION = {
    # Attributes may differ in case only.
    "spark.sql.caseSensitive": "true",
    # A text that is not a number is rejected, and does not fail the job.
    "spark.sql.ansi.enabled": "false",
    # SageMaker would take the marker of a successful job for data.
    "mapreduce.fileoutputcommitter.marksuccessfuljobs": "false",
}
# Rows with their times that show whether a column only grows.
SAMPLED_ROWS = 10_000
OPTIONS = ["export", "rows", "summary", "recipe", "items"]


def item_type(recipe: dict) -> StructType:
    """Return the type of a line: the attributes of the recipe and its time, each with N, S and NULL."""
    value = StructType(
        [
            StructField("N", StringType()),
            StructField("S", StringType()),
            StructField("NULL", BooleanType()),
        ]
    )
    attributes = dict.fromkeys(name for name in (*recipe["attributes"], recipe["time"]) if name)
    item = StructType([StructField(name, value) for name in attributes])
    return StructType([StructField("Item", item)])


def read_items(spark: SparkSession, export: str, recipe: dict) -> DataFrame:
    """Return a DataFrame with a column `parsed`, null where a line cannot be read."""
    lines = spark.read.text(export).where(F.length(F.trim("value")) > 0)
    return lines.select(F.from_json("value", item_type(recipe)).alias("parsed"))


def with_rows(items: DataFrame, recipe: dict) -> DataFrame:
    """Return the columns `c0`, `c1`, … with the numbers, `time`, and `reason`, null for an item with a row."""
    numbers, reasons = [], []
    for place, name in enumerate(recipe["attributes"]):
        value = F.col("parsed").getField("Item").getField(name)
        text = F.coalesce(*(value.getField(kind) for kind in recipe["types"]))
        number = text.cast("double")
        numbers.append(number.alias(f"c{place}"))
        reasons.append(reason(value, text, number, recipe))
    unreadable = F.when(
        F.col("parsed").isNull() | F.col("parsed").getField("Item").isNull(), NOT_READABLE
    )
    why = F.coalesce(unreadable, *reasons).alias("reason")
    return items.select(*numbers, time(recipe).alias("time"), why)


def time(recipe: dict) -> Column:
    """Return an item's time as text; null if it has none."""
    if not recipe["time"]:
        return F.lit(None).cast("string")
    value = F.col("parsed").getField("Item").getField(recipe["time"])
    return F.coalesce(value.getField("S"), value.getField("N"), F.lit(""))


def sample(rows: DataFrame) -> list:
    """Return times with rows, as JSON values. The items of an export are in no order."""
    found = rows.where(F.col("time").isNotNull()).limit(SAMPLED_ROWS).collect()
    return [[row["time"], [row[name] for name in rows.columns if name != "time"]] for row in found]


def reason(value: Column, text: Column, number: Column, recipe: dict) -> Column:
    """Return the reason against an attribute, null if there is none."""
    is_missing = value.isNull() | value.getField("NULL").isNotNull()
    is_number = F.coalesce(text.rlike(recipe["number"]), F.lit(False))
    is_small = F.abs(number) <= F.lit(float(recipe["largest"]))
    return (
        F.when(is_missing, MISSING)
        .when(~is_number, NOT_A_NUMBER)
        .when(~F.coalesce(is_small, F.lit(False)), TOO_LARGE)
    )


def prepare(spark: SparkSession, options: dict) -> dict:
    """Write the rows and the summary; return the summary. Raises ValueError for a partial export."""
    recipe = json.loads(options["recipe"])
    for name, value in CONFIGURATION.items():
        spark.conf.set(name, value)
    found = with_rows(read_items(spark, options["export"], recipe), recipe)
    counts = {row["reason"]: row["count"] for row in found.groupBy("reason").count().collect()}
    items = sum(counts.values())
    if items != int(options["items"]):
        raise ValueError(
            f"the export has {options['items']} items, and {items} could be read below {options['export']}: it is partial"
        )
    timed = found.where(F.col("reason").isNull()).drop("reason")
    rows = timed.drop("time")
    rows.write.mode("overwrite").option("header", "false").csv(options["rows"])
    rejected = {reason: number for reason, number in sorted(counts.items(), key=str) if reason}
    summary = {
        "items": items,
        "rows": counts.get(None, 0),
        "rejected": rejected,
        "sample": sample(timed) if recipe["time"] else [],
    }
    line = spark.createDataFrame([(json.dumps(summary),)], "value string")
    line.coalesce(1).write.mode("overwrite").text(options["summary"])
    return summary


def main() -> None:
    """Run the job with Glue's arguments."""
    from awsglue.utils import getResolvedOptions  # noqa: PLC0415 - Glue alone has it

    spark = SparkSession.builder.appName("prepare-records").getOrCreate()
    prepare(spark, getResolvedOptions(sys.argv, OPTIONS))


if __name__ == "__main__":
    main()
