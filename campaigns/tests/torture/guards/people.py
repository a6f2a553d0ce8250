"""People: a form writes only what its user changed, at once, and no job writes what people decide (R5, R8, R14)."""

from __future__ import annotations

from campaigns.tests.torture.guards.guard import BOTH, POSTGRESQL, Guard

FORMS = "campaigns/admin/shared/forms.py"
EFFECT = "campaigns/admin/shared/effect.py"
BULK = "campaigns/services/bulk/change_many.py"
BULK_ADMIN = "campaigns/admin/bulk/actions.py"
CAMPAIGN_ADMIN = "campaigns/admin/campaign/admin.py"
BRAND_ADMIN = "campaigns/admin/brand/admin.py"
CAMPAIGN = "campaigns/models/campaign.py"
CHANGES = "campaigns/services/enforcement/saving.py"

TWO = "test_admin_two_people"
SAVING = "test_admin_saving"


def _people(
    name: str, file: str, before: str, after: str, tests: str, databases: str = BOTH, *, short: bool = False
) -> Guard:
    return Guard(name, file, before, after, tests, databases, short)


GUARDS = (
    _people(
        "save() never writes the reasons",
        CAMPAIGN,
        " and field.name not in KEPT",
        "",
        "test_rule_05_people_decide",
        short=True,
    ),
    _people(
        "save() writes of an existing row only",
        CAMPAIGN,
        "        if update_fields is None and is_plain:",
        "        if False:",
        "test_rule_05_people_decide",
    ),
    _people(
        "a form saves by update_fields", EFFECT, "obj.save(update_fields=form.changed_fields)", "obj.save()", SAVING
    ),
    _people(
        "a row of an inline saves by update_fields",
        FORMS,
        "self.instance.save(update_fields=self.changed_fields)",
        "self.instance.save()",
        SAVING,
    ),
    _people(
        "a form's fields are changed by its user only",
        FORMS,
        "return bound.field.has_changed(bound.field.to_python(shown), bound.data)",
        "return True",
        TWO,
    ),
    _people(
        "a form says what it showed", FORMS, "            field.show_hidden_initial = True", "            pass", TWO
    ),
    _people(
        "a form reads the row again",
        FORMS,
        "        now = self.current_row()\n",
        "        now: Any = self.instance\n",
        TWO,
    ),
    _people(
        "a field left alone takes the value of now",
        FORMS,
        "                self.cleaned_data[name] = getattr(now, name)",
        "                pass",
        f"{TWO} {SAVING}",
    ),
    _people(
        "a field that both changed is refused",
        FORMS,
        "        if not bound.field.has_changed(there, shown_data):\n            return",
        "        return",
        TWO,
    ),
    _people(
        "the same change by two is no conflict",
        FORMS,
        "        if not self.deletes and not bound.field.has_changed(there, bound.data):\n            return",
        "",
        TWO,
    ),
    _people(
        "a row that is gone is told", FORMS, "            self.is_gone()\n            return", "            return", TWO
    ),
    _people(
        "an inline deletes rows of its parent only",
        FORMS,
        "filter(pk=obj.pk, **{self.fk.name: self.instance}).delete()",
        "filter(pk=obj.pk).delete()",
        TWO,
    ),
    _people(
        "no delete of a row that somebody changed",
        FORMS,
        "        if conflicts:\n            raise ValidationError(conflicts)",
        "",
        TWO,
    ),
    _people("a form locks before it reads", FORMS, "        self.lock()\n", "", "test_admin_at_once", POSTGRESQL),
    _people(
        "a campaign's form locks its brand",
        CAMPAIGN_ADMIN,
        "            begin_change(brands, clock=database_now)",
        "            pass",
        "test_admin_at_once",
        POSTGRESQL,  # on SQLite the transaction itself waits
    ),
    _people(
        "a campaign's move waits for those who refer to it before the ledger is locked",
        CAMPAIGN_ADMIN,
        "            begin_move(self.instance.pk, brands, clock=database_now)",
        "            begin_change(brands, clock=database_now)",
        "test_locked_rows",
        POSTGRESQL,
    ),
    _people(
        "a deletion waits for those who refer to its rows",
        CHANGES,
        "    lock_rows_that_go(model, ids)\n",
        "",
        "test_locked_rows",
        POSTGRESQL,
    ),
    _people(
        "a deletion waits for them before the ledger is locked",
        CHANGES,
        "    lock_brands(brand_ids)\n    lock_rows_that_go(model, ids)\n    begin_change(brand_ids, clock=clock)\n",
        "    begin_change(brand_ids, clock=clock)\n    lock_rows_that_go(model, ids)\n",
        "test_locked_rows",
        POSTGRESQL,
    ),
    _people(
        "a move folds what is pending for the brand that is left",
        CHANGES,
        "    take_ledger_lock()\n    fold_under_ledger_lock(ids)\n",
        "",
        "test_due_brands test_moved_campaign",
    ),
    _people(
        "a brand's form closes ended periods",
        BRAND_ADMIN,
        "            begin_change([self.instance.pk], clock=database_now)",
        "            pass",
        SAVING,
    ),
    _people(
        "a campaign with spend stays with its brand",
        CAMPAIGN_ADMIN,
        "        if moves and SpendRecord",
        "        if False and SpendRecord",
        SAVING,
    ),
    _people(
        "a save enforces what it touched",
        CHANGES,
        "    return enforce_under_locks(scope, brands.values(), now=clock(), actor=actor)",
        "    return Enforcement()",
        "test_rule_08_at_once",
    ),
    _people(
        "a save holds the brand that its campaign has moved to",
        CHANGES,
        "brands = lock_brands(brands_of(scope))",
        "brands = brands_of(scope)",
        "test_moved_meanwhile",
        POSTGRESQL,
    ),
    _people(
        "a save re-books a changed zone",
        CHANGES,
        "    rebook_changed_zones(clock=clock, brands=brands)\n",
        "",
        "test_rebooking test_rule_08_at_once",
    ),
    _people(
        "a save enforces after the inlines",
        EFFECT,
        "        super().save_related(request, form, formsets, change)\n"
        "        enforced = self._finish(request, [form.instance.pk])",
        "        enforced = self._finish(request, [form.instance.pk])\n"
        "        super().save_related(request, form, formsets, change)",
        SAVING,
    ),
    _people(
        "an action is one transaction",
        BULK,
        "@transaction.atomic\ndef apply_bulk(",
        "def apply_bulk(",
        "test_admin_at_once",
    ),
    _people(
        "a deletion of several is one transaction",
        EFFECT,
        "        with transaction.atomic():\n"
        "            begin_deletion(self.model, ids, self._brands_of(ids), clock=database_now)\n",
        "        if True:\n            begin_deletion(self.model, ids, self._brands_of(ids), clock=database_now)\n",
        "test_admin_at_once",
    ),
    _people(
        "an action takes effect at once",
        BULK,
        "enforced = finish_change(scope, clock=clock, actor=person.get_username())",
        "enforced = Enforcement()",
        "test_admin_actions test_bulk",
    ),
    _people(
        "an action needs the permission",
        BULK_ADMIN,
        '@admin.action(description="Switch off…", permissions=["change"])',
        '@admin.action(description="Switch off…")',
        "test_admin_actions",
    ),
    _people(
        "a confirmation needs the permission",
        BULK_ADMIN,
        "        if not self.has_change_permission(request):\n            raise PermissionDenied\n",
        "",
        "test_admin_actions",
    ),
    _people(
        "a confirmation changes what the preview showed only",
        BULK,
        " and fingerprint(row.before) == shown[row.pk]",
        "",
        "test_bulk",
    ),
    _people(
        "an action touches only brands that the person sees",
        BULK,
        "visible_to(person, model._base_manager.filter(pk__in=piece).order_by(), brand)",
        "model._base_manager.filter(pk__in=piece).order_by()",
        "test_bulk",
    ),
    _people(
        "lists have only the brands that are given",
        "campaigns/admin/shared/base.py",
        "visible_to(request.user, rows, self.brand_path) if self.brand_path else rows",
        "rows",
        "test_access",
    ),
    _people(
        "a campaign is made for a brand that is given",
        CAMPAIGN_ADMIN,
        'visible_to(request.user, Brand.objects.all(), "pk")',
        "Brand.objects.all()",
        "test_access",
    ),
    _people(
        "a list does not name what the person does not see",
        "campaigns/admin/shared/filters.py",
        'related.get_queryset(kwargs["request"])',
        "related.model._default_manager.all()",
        "test_access",
    ),
    _people(
        "Django keeps spend from being deleted",
        "campaigns/models/spend.py",
        "on_delete=protect_spend",
        "on_delete=models.CASCADE",
        "test_rule_14_history_stays test_admin_actions",
    ),
    _people(
        "Django keeps campaigns from being deleted with their brand",
        CAMPAIGN,
        "on_delete=models.PROTECT",
        "on_delete=models.CASCADE",
        "test_rule_14_history_stays test_admin_actions",
    ),
    _people(
        "an unknown zone is refused",
        "campaigns/models/brand.py",
        "    if find_zone(name) is None:",
        "    if False:",
        "test_guards_words test_admin_saving test_admin_words",
    ),
    _people(
        "a window that opens nothing is refused",
        "campaigns/models/dayparting.py",
        "        if self.start_time == self.end_time != MIDNIGHT:",
        "        if False:",
        "test_guards_words test_admin_two_people",
    ),
    _people(
        "what the database refuses is told in words",
        "campaigns/admin/shared/base.py",
        "except (IntegrityError, ProtectedError, OperationalError) as error:",
        "except (ProtectedError, OperationalError) as error:",
        SAVING,
    ),
    _people(
        "what the system writes has no form",
        "campaigns/admin/shared/base.py",
        "has_change_permission(self, request: HttpRequest, obj: models.Model | None = None) -> bool:\n"
        "        return False",
        "has_change_permission(self, request: HttpRequest, obj: models.Model | None = None) -> bool:\n"
        "        return True",
        "test_admin_lists",
    ),
)
