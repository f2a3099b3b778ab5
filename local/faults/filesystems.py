"""File systems."""

from local.faults.backups import protect
from local.place import Place, scenario, tag_list

PLAIN = "efs-file-system-unencrypted"


def file_system(place: Place, what: str, *, encrypted: bool) -> tuple[str, str]:
    """Its id and ARN."""
    name = place.name(what)
    made = place.client("efs").create_file_system(
        CreationToken=name, Encrypted=encrypted, Backup=True, Tags=tag_list(place.tags(name))
    )
    protect(place, made["FileSystemArn"])
    return made["FileSystemId"], made["FileSystemArn"]


@scenario(copies=2)
def plain_file_system(place: Place) -> None:
    id_, arn = file_system(place, "uploads", encrypted=False)
    place.fails(PLAIN, resource=arn, remove=lambda: place.client("efs").delete_file_system(FileSystemId=id_))


@scenario()
def encrypted_file_system(place: Place) -> None:
    _, arn = file_system(place, "home", encrypted=True)
    place.looks_like(PLAIN, resource=arn)
