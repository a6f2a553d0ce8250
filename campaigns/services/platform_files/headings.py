"""The headings of platforms' reports, by what their column holds, in the languages of their users.

Headings are compared as letters and digits alone, without case, accents, spaces and a currency in brackets: “Campaign
name”, “CampaignName” and “campaign_name” are the same. Only whole headings count: “Cost / conv.” isn't “Cost”.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from enum import StrEnum
from functools import lru_cache
from types import MappingProxyType

from campaigns.rules.currencies import SIGNS, find_currency


class Role(StrEnum):
    """What a column holds."""

    DAY = "day"
    # A date that may be the first day of a longer period.
    DATE = "date"
    START = "start"
    END = "end"
    # A week, month, quarter or year.
    PERIOD = "period"
    ACCOUNT = "account"
    ACCOUNT_ID = "account_id"
    CAMPAIGN = "campaign"
    CAMPAIGN_ID = "campaign_id"
    AMOUNT = "amount"
    CURRENCY = "currency"


WORDS: Mapping[Role, str] = MappingProxyType(
    {
        Role.DAY: (
            "Day | Tag | Jour | Día | Dia | Giorno | Dag | By day | Dzień | Den | Gün | Ziua | Nap | Päivä"
            " | Gregorian date | 日 | 日付 | 日期 | День | Per dag | Nach Tag | Par jour | Por día | Por dia"
            " | Per giorno"
        ),
        Role.DATE: (
            "Date | Datum | Fecha | Data | Dato | Time period | TimePeriod | Zeitraum | Période"
            " | Période de temps | Período | Período de tiempo | Período de tempo | Periodo | Periodo di tempo"
            " | Tijdsperiode | Periode | Report date | Timestamp | Stat time day | Time | Дата | Segments date"
            " | Segment date | Metrics date"
        ),
        Role.START: (
            "Reporting starts | Start date | Start date (in UTC) | Start time | Auswertungsbeginn"
            " | Berichtsbeginn | Berichtsstart | Beginn des Berichts | Début des rapports | Début du rapport"
            " | Date de début | Inicio del informe | Inicio de informe | Fecha de inicio"
            " | Início dos relatórios | Início do relatório | Data de início | Inizio dei report"
            " | Inizio report | Inizio del report | Data di inizio | Begin rapportage | Begin van rapportage"
            " | Start rapportage | Startdatum | Startdatum (in UTC) | Begindatum | Date start"
        ),
        Role.END: (
            "Reporting ends | End date | End date (in UTC) | End time | Auswertungsende | Berichtsende"
            " | Ende des Berichts | Fin des rapports | Fin du rapport | Date de fin | Fin del informe"
            " | Fin de informe | Fecha de finalización | Fecha de fin | Encerramento dos relatórios"
            " | Término dos relatórios | Fim do relatório | Data de término | Data de fim | Fine dei report"
            " | Fine report | Fine del report | Data di fine | Einde rapportage | Einde van rapportage"
            " | Eind rapportage | Enddatum | Einddatum | Date stop"
        ),
        Role.PERIOD: (
            "Week | Woche | Semaine | Semana | Settimana | Month | Monat | Mois | Mes | Mês | Mese | Maand"
            " | Quarter | Quartal | Trimestre | Kwartaal | Year | Jahr | Année | Año | Ano | Anno | Jaar"
        ),
        Role.ACCOUNT: (
            "Account | Account name | Customer | Customer name | Advertiser | Advertiser name | Ad account"
            " | Ad account name | Konto | Kontoname | Name des Kontos | Kunde | Kundenname | Werbekonto"
            " | Name des Werbekontos | Werbetreibender | Compte | Nom du compte | Nom de compte | Client"
            " | Nom du client | Annonceur | Cuenta | Nombre de la cuenta | Nombre de cuenta | Anunciante"
            " | Cliente | Nombre del cliente | Nome account | Nome dell'account | Nome del cliente"
            " | Inserzionista | Conta | Nome da conta | Nome do cliente | Accountnaam | Klant | Klantnaam"
            " | Naam account | Adverteerder | Brand | Marke | Marque | Marca | Merk | Profile name"
        ),
        Role.ACCOUNT_ID: (
            "Account ID | Customer ID | Advertiser ID | Ad account ID | Konto-ID | Kontonummer ID"
            " | Kundennummer | Kunden-ID | Werbetreibenden-ID | Werbekonto-ID | ID des Werbekontos"
            " | ID du compte | Identifiant du compte | Numéro client | ID client | ID de la cuenta"
            " | ID de cuenta | ID de cliente | Identificador de la cuenta | ID account | ID dell'account"
            " | ID cliente | ID da conta | ID do cliente | Account-ID | Klant-ID | Klantnummer"
            " | ID du compte publicitaire"
        ),
        Role.CAMPAIGN: (
            "Campaign | Campaign name | Kampagne | Kampagnenname | Name der Kampagne | Campagne"
            " | Nom de la campagne | Nom de campagne | Campaña | Nombre de la campaña | Nombre de campaña"
            " | Campagna | Nome della campagna | Nome campagna | Campanha | Nome da campanha | Campagnenaam"
            " | Naam campagne | Naam van campagne | Kampanj | Kampanjnamn | Kampagnenavn | Kampania"
            " | Nazwa kampanii | キャンペーン | Кампания"
        ),
        Role.CAMPAIGN_ID: (
            "Campaign ID | Kampagnen-ID | Kampagne-ID | Kampagnen ID | ID der Kampagne | ID de la campagne"
            " | ID de campagne | ID campagne | Identifiant de la campagne | N° de campagne | ID de la campaña"
            " | ID de campaña | Identificador de la campaña | ID campagna | ID della campagna | ID da campanha"
            " | ID de campanha | Campagne-ID | Campagne ID | Kampanj-ID | Kampagne-id"
        ),
        Role.AMOUNT: (
            "Cost | Costs | Spend | Spent | Amount | Amount spent | Total spent | Total spend | Total cost"
            " | Media cost | Media cost (Advertiser currency) | Total media cost"
            " | Total media cost (Advertiser currency) | Media cost (Adv Currency)"
            " | Total media cost (Adv currency) | Revenue (Adv currency) | Spend in account currency"
            " | Spend (account currency) | Amount spent in account currency | Spend in local currency"
            " | Billed charge local currency | Kosten | Ausgaben | Gesamtausgaben | Ausgegebener Betrag"
            " | Gesamtkosten | Kosten gesamt | Werbeausgaben | Coût | Coûts | Dépenses | Dépense"
            " | Montant dépensé | Coût total | Total dépensé | Dépenses totales | Coste | Costes | Costo"
            " | Costos | Gasto | Gastos | Importe gastado | Inversión | Coste total | Gasto total | Costi"
            " | Spesa | Importo speso | Costo totale | Spesa totale | Custo | Custos | Valor gasto"
            " | Valor usado | Gastos totais | Custo total | Montante gasto | Quantia gasta | Uitgaven"
            " | Besteed bedrag | Besteding | Totale kosten | Totaal besteed | Totale uitgaven"
            " | Advertiser cost | AdvertiserCost | Local spend | Dépenses dans la devise du compte"
            " | Spenderat belopp | Kostnad | Omkostninger | Koszt | 費用 | Расход"
        ),
        Role.CURRENCY: (
            "Currency | Currency code | Account currency | Advertiser currency | Währung | Währungscode"
            " | Kontowährung | Code de devise | Code de la devise | Code devise | Devise | Devise du compte"
            " | Moneda | Código de moneda | Código de la moneda | Código de divisa | Divisa"
            " | Divisa de la cuenta | Moneda de la cuenta | Valuta | Codice valuta | Valuta dell'account"
            " | Moeda | Código da moeda | Código de moeda | Moeda da conta | Valutacode | Valuta-code"
            " | Accountvaluta | Munteenheid | Valutakod | Currency (code)"
        ),
    }
)
# Words that make a heading one of money that isn't known exactly.
MONEY = re.compile(
    r"cost|spend|spent|amount|kosten|ausgabe|betrag|cout|depense|montant|coste|gasto|importe|spesa|importo|custo|valor"
    r"|uitgave|besteed|bedrag|charge|revenue|fee"
)
# In these, money is divided by something, or isn't spent.
RATE = re.compile(
    r"micro|cpc|cpm|cpa|cpv|ecp|cpl|roas|acos|budget|percost|/|\bper\b|\bpro\b|\bpar\b|\bpor\b|\bcada\b|\bavg|average|durchschn"
    r"|\bmoy|promedio|prom\.|medio|media\b|gem\.|value|wert|valeur|bid|gebot|limit|limite"
)
# “cost_micros” and “Spend (micro)”, but not “Microsoft spend”.
IN_MICROS = re.compile(r"(?<![a-z])micros?(?![a-z])", re.IGNORECASE)
# Longer headings aren't looked at.
MAX_HEADING = 200
BRACKETED = re.compile(r"\s*[\(\[](?P<inside>[^()\[\]]{1,12})[\)\]]\s*$")


@lru_cache(maxsize=10_000)
def heading_key(text: str) -> str:
    """Return a heading's letters and digits, without case, accents, and a currency in brackets at its end."""
    text = text[:MAX_HEADING]
    return _letters(BRACKETED.sub("", text) if heading_currencies(text) else text)


@lru_cache(maxsize=10_000)
def heading_currencies(text: str) -> tuple[str, ...]:
    """Return the currencies that brackets at a heading's end can mean: “Amount spent (EUR)”, “Cost ($)”."""
    found = BRACKETED.search(text[:MAX_HEADING])
    inside = found["inside"].strip() if found else ""
    code = find_currency(inside)
    return (code,) if code else SIGNS.get(inside, ())


def _letters(text: str) -> str:
    plain = unicodedata.normalize("NFKD", text).casefold()
    return "".join(character for character in plain if character.isalnum())


ROLES: Mapping[str, Role] = MappingProxyType(
    {_letters(word): role for role, words in WORDS.items() for word in words.split(" | ")}
)


def role_of(heading: str) -> Role | None:
    """Return what the column under a heading holds, None if that isn't known for sure."""
    if len(heading) > MAX_HEADING:
        return None
    return ROLES.get(heading_key(heading)) or ROLES.get(_letters(heading))


def is_perhaps_money(heading: str) -> bool:
    """Return whether a heading speaks of money in words that aren't known exactly."""
    folded = unicodedata.normalize("NFKD", heading[:MAX_HEADING]).casefold()
    return bool(MONEY.search(_letters(folded))) and not RATE.search(folded)


def is_in_micros(heading: str) -> bool:
    """Return whether the amounts under a heading are millionths of the currency."""
    return bool(IN_MICROS.search(heading[:MAX_HEADING]))
