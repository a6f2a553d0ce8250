"""Forms of brands and campaigns: their names are stored in one form, and none is given twice."""

from __future__ import annotations

from typing import Any, TypeVar

from django.core.exceptions import ValidationError
from django.db import models

from campaigns.admin.shared.forms import NAMES_THE_VALUE, ConflictAwareForm
from campaigns.rules.names import normal_name
from campaigns.services.naming.find_names import find_twin

M = TypeVar("M", bound=models.Model)


class NamedForm(ConflictAwareForm[M]):
    """A careful form with a name, which is unique without regard to how it is written.

    A name that the user leaves alone is left as it is, whatever it consists of, and with whatever twin it has.
    """

    def clean_name(self) -> str:
        name: str = self.cleaned_data["name"]
        if not self._is_given("name"):
            return name
        try:
            return normal_name(name)
        except ValueError as refusal:
            raise ValidationError(str(refusal), code=NAMES_THE_VALUE) from refusal

    def clean(self) -> dict[str, Any]:
        """Look for a twin when the locks are taken; the database looks again when the row is written."""
        cleaned = super().clean()
        name, brand = cleaned.get("name"), cleaned.get("brand")
        if name and (brand or "brand" not in self.fields) and (self._is_given("name") or self._is_given("brand")):
            twin = find_twin(name, brand_id=brand and brand.pk, but=self.instance.pk)
            if twin and twin != name:  # of the very same name the constraint speaks
                what = self.instance._meta.verbose_name
                self.add_error(
                    "name",
                    ValidationError(f"There is already a {what} “{twin}”. Choose another name.", code=NAMES_THE_VALUE),
                )
        return cleaned

    def _is_given(self, name: str) -> bool:
        return name in self.fields and (self.is_new or name in self.changed_data)
