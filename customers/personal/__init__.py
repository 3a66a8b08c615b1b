"""What customers' tables have of a person."""

from millpond.kernel.db import load_queries
from millpond.kernel.personal import Export, Table, gone, kept, nobodys, nulled, plain, pseudonym, worded

_Q, _AUDIT = load_queries("customers.personal"), load_queries("customers.audit")


def customers_personal() -> list[Table]:
    """The account, what it is known by, what was agreed to, and who looked; links go before what they lead from."""
    return [
        _account(),
        *_links(),
        *_identifiers(),
        _consents(),
        _objections(),
        _looks(),
        *_of_the_erased(),
        *_of_nobody(),
    ]


def _account() -> Table:
    return Table(
        "customer",
        (
            *pseudonym("customer_id merged_into"),
            *plain("is_merged into_is_merged erased_at"),
            *worded("name locale time_zone"),
            *nulled("country"),
            *kept("created_at", because="orders and bindings are younger than their customer"),
        ),
        export=Export("profile", _Q["export_customer"]),
        erase=(_Q["erase_customer"],),
    )


def _links() -> list[Table]:
    return [
        Table(
            "customer_merge",
            (
                *pseudonym("merge_id absorbed survivor merged_by undone_by"),
                *plain("merged_at because undone_at"),
                *worded("evidence"),
            ),
            export=Export("merges", _Q["export_merges"]),
            erase=(_Q["erase_merges"],),
        ),
        Table(
            "refused_link",
            gone("identifier_id customer_id because reason times first_at last_at"),
            erase=(_Q["erase_refused_links"],),
            withheld=dict.fromkeys(
                ("identifier_id", "customer_id", "because", "reason", "times", "first_at", "last_at"),
                "what was not believed may be of somebody else",
            ),
        ),
    ]


def _identifiers() -> list[Table]:
    ours = dict.fromkeys(("link_id", "identifier_id"), "a number of ours")
    with_links = "with the links, in identifiers"
    return [
        Table(
            "customer_identifier",
            gone("link_id identifier_id customer_id valid_from valid_until counts_from because evidence"),
            export=Export("identifiers", _Q["export_identifiers"]),
            erase=(_Q["erase_links"],),
            withheld=ours | {"customer_id": "in the profile"},
        ),
        Table(
            "identifier",
            (*gone("identifier_id namespace key seen_at"), *plain("blocked_because blocked_at")),
            erase=(_Q["erase_identifiers"],),
            withheld=dict.fromkeys(("identifier_id", "namespace", "key", "seen_at"), with_links),
        ),
    ]


def _consents() -> Table:
    return Table(
        "consent",
        (
            *plain("consent_id"),
            *pseudonym("customer_id"),
            *kept("purpose version given at source", because="it proves that what was done was allowed"),
            *worded("evidence"),
        ),
        export=Export("consents", _Q["export_consents"]),
        erase=(_Q["erase_evidence"],),
    )


def _objections() -> Table:
    return Table(
        "tag_objection",
        gone("customer_id tag at source"),
        export=Export("objections", _Q["export_objections"]),
        erase=(_Q["erase_objections"],),
        withheld={"customer_id": "in the profile"},
    )


def _looks() -> Table:
    return Table(
        "audit_entry",
        (
            *plain("number at action because previous digest"),
            *pseudonym("customer_id detail"),
            *kept("actor", because="who looked has to answer for it; of a customer it is their pseudonym"),
        ),
        export=Export("looks", _AUDIT["export_audit"]),
        withheld={"actor": "who works here is told by their role"},
    )


def _of_the_erased() -> list[Table]:
    return [
        Table(
            "erasure", (*plain("requested_at finished_at report"), *pseudonym("erasure_id customer_ids requested_by"))
        ),
        Table("erased_identifier", (*pseudonym("digest"), *plain("erased_at"))),
    ]


def _of_nobody() -> list[Table]:
    return [
        nobodys("erasure_key", "one key", because="made by chance"),
        nobodys("audit_head", "one number digest begins_after begins_from", because="where the audit log ends"),
        nobodys("purpose", "purpose version basis words valid_from uses keeps own", because="what everybody is asked"),
    ]
