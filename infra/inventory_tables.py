"""What scans saw and found as SQL: tables over what they write, views of what is newest, and a place to ask.

Why not a partition per account and region: docs/decisions/14.
"""

import base64
import json
from collections.abc import Mapping, Sequence

from aws_cdk import Stack
from aws_cdk import aws_athena as athena
from aws_cdk import aws_glue as glue
from aws_cdk import aws_kms as kms
from aws_cdk import aws_s3 as s3
from constructs import Construct

from infra import questions
from infra.questions import DAY, SAVED
from infra.storage import ANSWERS, SCANS_DAYS
from orgscan.archive import FINDINGS, OF_FINDINGS, OF_RECEIPTS, RECEIPTS
from orgscan.inventory import COLUMNS, FOLDER, OF_BOTH, OF_LISTINGS, OF_RESOURCES

RECORDS, RESOURCES, INVENTORIED = "records", "inventory", "inventory_coverage"
LOOK_BACK_DAYS = 8
"""How old a look may be to count as the newest of its place: that of a weekly schedule, and a day."""
RECENT = f"{DAY} >= date_format(current_date - interval '{LOOK_BACK_DAYS}' day, '%Y-%m-%d')"
MOST_BYTES = 10 * 1024**3
"""That one query may read: 0.05 USD."""
IN_SQL = {
    "string": "varchar",
    "boolean": "boolean",
    "bigint": "bigint",
    "double": "double",
    "array<string>": "array(varchar)",
    "map<string,string>": "map(varchar,varchar)",
}
"""Hive's type -> Athena's."""

Types = Mapping[str, str]
"""Name of a column -> its type in Hive."""


class InventoryTables(Construct):
    def __init__(
        self, scope: Construct, id: str, *, name: str, bucket: s3.IBucket, key: kms.IKey, keep_days: int
    ) -> None:
        """`name`: of the workgroup, and of the database with _ for -."""
        super().__init__(scope, id)
        self._schema = name.replace("-", "_")
        self._database = glue.CfnDatabase(
            self,
            "Database",
            catalog_id=Stack.of(self).account,
            database_input=glue.CfnDatabase.DatabaseInputProperty(
                name=self._schema, description="What orgscan saw and found, and what it could not see"
            ),
        )
        told = "All that scans saw, whichever was the last"
        self._written(RECORDS, bucket, FOLDER, COLUMNS, keep_days, told)
        self._newest(RESOURCES, "resource", (*OF_RESOURCES, *OF_BOTH), "Resources, as they were last seen")
        self._newest(INVENTORIED, "listing", (*OF_LISTINGS, *OF_BOTH), "Where all was seen, and where not")
        self._found(bucket)
        self._saved(self._workgroup(name, bucket, key))

    def _found(self, bucket: s3.IBucket) -> None:
        told = "What each scan found and closed where it looked"
        self._written("findings", bucket, FINDINGS, OF_FINDINGS, SCANS_DAYS, told)
        told = "What each scan of each target came to"
        self._written("receipts", bucket, RECEIPTS, OF_RECEIPTS, SCANS_DAYS, told)
        sql = questions.of(self._schema, questions.OPEN)
        self._view("open_findings", sql, OF_FINDINGS, "What is open, as it was last seen")
        sql = questions.of(self._schema, questions.COVERAGE)
        self._view("coverage", sql, questions.COVERAGE_COLUMNS, "How much each scan saw")

    def _saved(self, workgroup: athena.CfnWorkGroup) -> None:
        for title, (told, question) in SAVED.items():
            saved = athena.CfnNamedQuery(
                self,
                title.title().replace(" ", ""),
                name=title,
                description=told,
                database=self._schema,
                work_group=workgroup.name,
                query_string=questions.of(self._schema, question),
            )
            saved.add_dependency(workgroup)
            saved.add_dependency(self._database)

    def _workgroup(self, name: str, bucket: s3.IBucket, key: kms.IKey) -> athena.CfnWorkGroup:
        return athena.CfnWorkGroup(
            self,
            "Workgroup",
            name=name,
            description="Questions about what orgscan saw",
            recursive_delete_option=True,
            work_group_configuration=athena.CfnWorkGroup.WorkGroupConfigurationProperty(
                bytes_scanned_cutoff_per_query=MOST_BYTES,
                enforce_work_group_configuration=True,
                publish_cloud_watch_metrics_enabled=False,
                result_configuration=athena.CfnWorkGroup.ResultConfigurationProperty(
                    output_location=f"s3://{bucket.bucket_name}/{ANSWERS}",
                    encryption_configuration=athena.CfnWorkGroup.EncryptionConfigurationProperty(
                        encryption_option="SSE_KMS", kms_key=key.key_arn
                    ),
                ),
            ),
        )

    def _written(
        self, name: str, bucket: s3.IBucket, folder: str, columns: Types, keep_days: int, told: str, /
    ) -> None:
        """A day is a partition, which nobody has to announce; what lies below it is read as it comes."""
        self._table(
            name,
            description=told,
            table_type="EXTERNAL_TABLE",
            parameters={
                "EXTERNAL": "TRUE",
                "classification": "json",
                "compressionType": "gzip",
                "projection.enabled": "true",
                f"projection.{DAY}.type": "date",
                f"projection.{DAY}.format": "yyyy-MM-dd",
                f"projection.{DAY}.range": f"NOW-{keep_days}DAYS,NOW",
                f"projection.{DAY}.interval": "1",
                f"projection.{DAY}.interval.unit": "DAYS",
            },
            partition_keys=[glue.CfnTable.ColumnProperty(name=DAY, type="string")],
            storage_descriptor=glue.CfnTable.StorageDescriptorProperty(
                location=f"s3://{bucket.bucket_name}/{folder}",
                columns=_columns(columns),
                compressed=True,
                input_format="org.apache.hadoop.mapred.TextInputFormat",
                output_format="org.apache.hadoop.hive.ql.io.HiveIgnoreKeyTextOutputFormat",
                # OpenX's makes keys lower case, also those of tags, and stumbles over `owner` beside `Owner`.
                serde_info=glue.CfnTable.SerdeInfoProperty(
                    serialization_library="org.apache.hive.hcatalog.data.JsonSerDe"
                ),
            ),
        )

    def _newest(self, name: str, record: str, columns: Sequence[str], description: str) -> None:
        sql = newest(self._schema, record, columns)
        self._view(name, sql, {each: COLUMNS[each] for each in columns}, description)

    def _view(self, name: str, sql: str, columns: Types, description: str) -> None:
        told = {
            "originalSql": sql,
            "catalog": "awsdatacatalog",
            "schema": self._schema,
            "columns": [{"name": column, "type": IN_SQL[hive]} for column, hive in columns.items()],
        }
        packed = base64.b64encode(json.dumps(told).encode()).decode()
        self._table(
            name,
            description=description,
            table_type="VIRTUAL_VIEW",
            parameters={"presto_view": "true", "comment": "Presto View"},
            view_original_text=f"/* Presto View: {packed} */",
            view_expanded_text="/* Presto View */",
            storage_descriptor=glue.CfnTable.StorageDescriptorProperty(
                columns=_columns(columns), serde_info=glue.CfnTable.SerdeInfoProperty()
            ),
        )

    def _table(self, name: str, **told: object) -> None:
        glue.CfnTable(
            self,
            "".join(map(str.title, name.split("_"))),
            catalog_id=self._database.catalog_id,
            database_name=self._database.ref,
            table_input=glue.CfnTable.TableInputProperty(name=name, **told),  # type: ignore[arg-type]
        )


def newest(schema: str, record: str, columns: Sequence[str]) -> str:
    """The records of the scan that was the last to list that type in that place, whatever it saw of it."""
    place = "account, region, type"
    return (
        f'SELECT {", ".join(columns)} FROM "{schema}".{RECORDS}'  # noqa: S608 (our own names)
        f' JOIN (SELECT {place}, max(scan) AS scan FROM "{schema}".{RECORDS}'
        f" WHERE record = 'listing' AND {RECENT} GROUP BY {place}) AS newest"
        f" USING ({place}, scan) WHERE record = '{record}' AND {RECENT}"
    )


def _columns(types: Types) -> list[glue.CfnTable.ColumnProperty]:
    return [glue.CfnTable.ColumnProperty(name=name, type=hive) for name, hive in types.items()]
