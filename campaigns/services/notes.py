"""Notes on brands and campaigns: who sees a brand sees its notes and may add one."""

from __future__ import annotations

from django.db.models import Q, QuerySet

from campaigns.models import Brand, Campaign, Note
from campaigns.models.notes import MAX_NOTE
from campaigns.services.permissions import Person


class NoteRefused(Exception):
    """The note can't be added; the message says why."""


def notes_on(row: Brand | Campaign) -> QuerySet[Note]:
    """Return the notes on a campaign, or on a brand and its campaigns, newest first; by an index."""
    notes = Note.objects.select_related("campaign").order_by("-id")
    return notes.filter(campaign=row.pk) if isinstance(row, Campaign) else notes.filter(brand=row.pk)


def add_note(row: Brand | Campaign, text: str, *, person: Person) -> Note:
    """Add a note as plain text. The caller has checked that the person sees the row. Raises NoteRefused."""
    cleaned = text.replace("\r\n", "\n").replace("\0", "").strip()
    if not cleaned:
        raise NoteRefused("Enter a note.")
    if len(cleaned) > MAX_NOTE:
        raise NoteRefused(f"The note has {len(cleaned):,} characters; at most {MAX_NOTE:,} are possible.")
    brand_id = row.brand_id if isinstance(row, Campaign) else row.pk
    campaign_id = row.pk if isinstance(row, Campaign) else None
    return Note.objects.create(
        brand_id=brand_id, campaign_id=campaign_id, author_id=person.pk, who=person.get_username(), text=cleaned
    )


def may_delete(note: Note, person: Person) -> bool:
    return person.is_superuser or (note.author_id is not None and note.author_id == person.pk)


def delete_note(row: Brand | Campaign, pk: int, *, person: Person) -> bool:
    """Delete a note on the row, and return whether it was the person's to delete."""
    notes = notes_on(row).filter(pk=pk)
    if not person.is_superuser:
        notes = notes.filter(Q(author=person.pk) & Q(author__isnull=False))
    deleted, _ = Note.objects.filter(pk__in=list(notes.values_list("pk", flat=True))).delete()
    return bool(deleted)


def move_notes(campaign: Campaign) -> None:
    """Take a campaign's notes along to its new brand, whose people see them then."""
    Note.objects.filter(campaign=campaign.pk).update(brand=campaign.brand_id)
