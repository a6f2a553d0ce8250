"""Reports as platforms write them, made by hand after public descriptions; no real person or company."""

from __future__ import annotations

GOOGLE_EN = (
    "Campaign report\n"
    '"November 1, 2026 - November 27, 2026"\n'
    "Day,Campaign,Campaign ID,Currency code,Cost,Impr.,Clicks,Conversions\n"
    '2026-11-26,"Search | Brand, exact",12345678901,USD,"1,234.50","12,034",842,40.50\n'
    "2026-11-26,PMax - Herbst 2026,12345678902,USD,0.00,0,0,0.00\n"
    "2026-11-27,Display,12345678903,USD,--,--,--,--\n"
    'Total: Account,--,--,USD,"1,234.50","12,034",842,40.50\n'
    'Total: Campaigns,--,--,USD,"1,234.50","12,034",842,40.50\n'
)
GOOGLE_EXCEL = (
    "Campaign report\nNovember 1, 2026 - November 27, 2026\n"
    "Day\tCampaign\tCampaign ID\tCurrency code\tCost\tImpr.\n"
    "2026-11-26\tSearch | Brand, exact\t12345678901\tUSD\t1,234.50\t12,034\n"
    "2026-11-26\tPMax - Herbst 2026\t12345678902\tUSD\t0.00\t0\n"
    "Total: Account\t--\t--\tUSD\t1,234.50\t12,034\n"
)
GOOGLE_FR = (
    "Rapport sur les campagnes\n1 septembre 2026 - 30 septembre 2026\n"
    "Jour;Campagne;Code de devise;Coût;Conversions\n"
    "26/11/2026;Suche;EUR;1\u202f234,56;40,5\n"
    "Total : campagnes;--;EUR;1\u202f234,56;40,5\n"
)
GOOGLE_DE = (
    "Kampagnenbericht\n1. November 2026 - 27. November 2026\n"
    "Tag;Kampagne;Kampagnen-ID;Währungscode;Kosten;Durchschn. CPC;Kosten/Conv.\n"
    "26.11.2026;Suche;111;EUR;1.234,56;0,89;12,30\n"
    "27.11.2026;Übersicht;222;EUR;7,00;0,07;--\n"
    "Gesamt: Konto;--;--;EUR;1.241,56;0,50;12,30\n"
)
GOOGLE_ES = (
    "Informe de campañas\n1 de noviembre de 2026 - 27 de noviembre de 2026\n"
    'Día,Campaña,Código de moneda,Coste,Impr.\n2026-11-26,Búsqueda,EUR,"1.234,50","12.034"\n'
    'Total: cuenta,--,EUR,"1.234,50","12.034"\n'
)
GOOGLE_PT = (
    "Relatório da campanha\n1 de novembro de 2026 - 27 de novembro de 2026\n"
    'Dia,Campanha,Código da moeda,Custo\n26 de nov. de 2026,Pesquisa,BRL,"R$ 1.234,50"\n'
    'Total: conta,--,BRL,"R$ 1.234,50"\n'
)
GOOGLE_IT = (
    "Rapporto sulle campagne\n1 novembre 2026 - 27 novembre 2026\n"
    'Giorno,Campagna,Codice valuta,Costo\n26 nov 2026,Ricerca,EUR,"1.234,50"\nTotale: account,--,EUR,"1.234,50"\n'
)
GOOGLE_NL = (
    "Campagnerapport\n1 november 2026 - 27 november 2026\n"
    "Dag;Campagne;Valutacode;Kosten\n26-11-2026;Zoeken;EUR;1.234,50\nTotaal: account;--;EUR;1.234,50\n"
)
GOOGLE_CH = "Tag\tKampagne\tWährungscode\tKosten\n26.11.2026\tSuche\tCHF\t1’234.50\n"
GOOGLE_BY_DEVICE = (
    "Campaign report\nDay,Campaign,Campaign ID,Device,Currency code,Cost\n"
    "2026-11-26,Display,777,Mobile phones,USD,10.10\n2026-11-26,Display,777,Computers,USD,5.05\n"
    "2026-11-27,Display,777,Computers,USD,1.00\n"
)
MICROSOFT = (
    '"Report Name: Campaign Performance"\n"Report Time: 11/26/2026,11/27/2026"\n'
    '"Time Zone: (GMT-08:00) Pacific Time (US & Canada); Tijuana"\n'
    '"Last Completed Available Day: 11/28/2026 10:15:00 PM (GMT)"\n'
    '"Last Completed Available Hour: 11/28/2026 10:15:00 PM (GMT)"\n"Report Aggregation: Daily"\n"Report Filter: "\n'
    '"Potential Incomplete Data: true"\n"Rows: 2"\n\n'
    '"TimePeriod","AccountName","CampaignName","CurrencyCode","Spend"\n'
    '"11/26/2026","Acme","Display","USD","35.20"\n"11/27/2026","Acme","Display","USD","80.00"\n\n'
    '"@2026 Microsoft Corporation. All rights reserved. "\n'
)
MICROSOFT_DE = (
    '"Berichtsname: Kampagnenleistung"\n"Berichtsaggregation: Täglich"\n\n'
    '"Zeitraum";"Kontoname";"Kampagne";"Kampagnen-ID";"Währungscode";"Ausgaben";"Durchschn. CPC"\n'
    '"26.11.2026";"Müller GmbH";"Suche";"333";"EUR";"1.035,20";"0,35"\n\n'
    '"©2026 Microsoft Corporation. Alle Rechte vorbehalten. "\n'
)
META = (
    "Reporting starts,Reporting ends,Campaign name,Campaign ID,Amount spent (EUR),Impressions,Results,Cost per result\n"
    "2026-11-26,2026-11-26,,,47.50,1500,,\n"
    "2026-11-26,2026-11-26,Prospecting,120210000000001,35.25,1000,3,11.75\n"
    "2026-11-26,2026-11-26,Retargeting,120210000000002,12.25,500,1,12.25\n"
)
META_DE = (
    "Berichtsbeginn;Berichtsende;Tag;Kontoname;Kampagnenname;Kampagnen-ID;Ausgegebener Betrag (EUR);CPC (alle) (EUR)\n"
    "2026-11-01;2026-11-27;2026-11-26;Müller;Suche;1201;1.035,20;0,35\n"
)
META_ES_PIVOT = (
    "Nombre de la campaña,Día,Importe gastado (USD),Inicio del informe,Fin del informe\n"
    "Marca,All,30.5,2026-11-26,2026-11-27\nMarca,2026-11-26,10.5,2026-11-26,2026-11-26\n"
    "Marca,2026-11-27,20,2026-11-27,2026-11-27\n"
)
META_PT = (
    "Início dos relatórios,Encerramento dos relatórios,Nome da campanha,Valor usado (BRL),Impressões\n"
    '2026-11-26,2026-11-26,Marca,"1.234,56","1.000"\n'
)
META_IT = "Giorno,Nome della campagna,Importo speso (EUR),Copertura\n2026-11-26,Marca,200.00,10\n"
META_NL = "Dag,Campagnenaam,Besteed bedrag (EUR),Bereik\n2026-11-26,Merk,200.00,10\n"
META_FR = "Jour,Nom de la campagne,Montant dépensé (EUR),Couverture\n2026-11-26,Marque,200.00,10\n"
DV360 = (
    "Date,Advertiser,Advertiser ID,Advertiser Currency,Campaign,Campaign ID,Impressions,"
    "Media Cost (Advertiser Currency)\n"
    "2026/11/26,Acme,12345,USD,Display,777,10000,35.200000\n2026/11/27,Acme,12345,USD,Display,777,0,0.000000\n"
    ",,,,,,10000,35.200000\n\nReport Time:,2026/11/28 09:00 GMT\nDate Range:,2026/11/26 to 2026/11/27\n"
    "Group By:,Date\nMRC Accredited Metrics,Active View metrics are accredited only when ...\n"
)
TIKTOK = (
    "By Day,Campaign name,Campaign ID,Currency,Cost,CPC,CPM,Impressions\n"
    "2026-11-26,TT Prospecting,1770000000000001,USD,55.10,0.52,3.11,17717\n"
    "2026-11-27,TT Prospecting,1770000000000001,USD,40.00,0.50,3.00,13333\n"
    "Total of 1 results,-,-,USD,95.10,0.51,3.06,31050\n"
)
LINKEDIN = (
    "Campaign Performance Report (in UTC)\nReport Start: November 26, 2026, 12:00 AM\n"
    "Report End: November 27, 2026, 11:59 PM\nDate Generated: November 28, 2026, 9:00 AM (UTC)\n\n"
    "Start Date (in UTC)\tAccount Name\tCurrency\tTotal Budget\tCampaign Group Name\tCampaign Name\tCampaign ID\t"
    "Total Spent\tImpressions\n"
    "11/26/2026\tAcme LI\tUSD\t1000.00\tGroup\tLeads\t2001\t75.25\t900\n"
    "11/27/2026\tAcme LI\tUSD\t1000.00\tGroup\tLeads\t2001\t80.00\t950\n"
)
AMAZON = (
    "Date,Portfolio name,Currency,Campaign Name,Targeting,Impressions,Clicks,Click-Thru Rate (CTR),"
    "Cost Per Click (CPC),Spend,7 Day Total Sales \n"
    '"Nov 26, 2026",No Portfolio,USD,SP Auto,close-match,100,2,2.0000%,$1.10,$2.20,$40.00\n'
    '"Nov 26, 2026",No Portfolio,USD,SP Auto,loose-match,100,1,1.0000%,$1.05,$1.05,$0.00\n'
    '"Nov 27, 2026",No Portfolio,USD,SP Auto,loose-match,100,1,1.0000%,$1.00,$1.00,$0.00\n'
)
PINTEREST = (
    "Date,Campaign name,Campaign ID,Account ID,Spend in account currency,Impressions\n"
    "2026-11-26,Pins,626700000001,549700000001,12.34,1000\n2026-11-27,Pins,626700000001,549700000001,10.00,900\n"
)
SNAPCHAT = (
    "Start time,End time,Campaign Name,Campaign ID,Currency,Amount Spent,Paid Impressions,Swipe Ups\n"
    "2026-11-26T00:00:00.000-08:00,2026-11-26T00:00:00.000-08:00,Snap,ab12-cd34,USD,9.990000,100,3\n"
)
X_ADS = (
    "Time period,Funding source,Campaign name,Campaign ID,Currency,Spend,Impressions\n"
    "2026-11-26,Card 1,Promote,f1a2,USD,15.75,1000\n2026-11-27,Card 1,Promote,f1a2,USD,14.25,900\n"
)
HOURLY = (
    "Timestamp,Brand,Campaign,Amount\n2026-11-26 00:00,Acme,Display,1.10\n2026-11-26 13:00,Acme,Display,2.20\n"
    "2026-11-27 13:00,Acme,Display,4.40\n"
)
SEP_LINE = "\ufeffsep=;\nTag;Kampagne;Kosten (EUR)\n2026-11-26;Suche;35,20\n"
TIKTOK_JA = (
    "日付\tキャンペーン名\tキャンペーンID\t通貨\t消化金額\tインプレッション数\n"
    "2026-11-26\t検索\t177\tJPY\t12,340\t1000\n2026-11-27\t検索\t177\tJPY\t8,000\t900\n合計\t-\t-\tJPY\t20,340\t1900\n"
)
LINKEDIN_DE = (
    "Kampagnenleistungsbericht (in UTC)\nBerichtsbeginn: 26. November 2026\nBerichtsende: 27. November 2026\n\n"
    "Startdatum (in UTC)\tKontoname\tWährung\tKampagnenname\tKampagnen-ID\tGesamtausgaben\tImpressions\n"
    "26.11.2026\tAcme\tEUR\tLeads\t2001\t75,25\t900\n27.11.2026\tAcme\tEUR\tLeads\t2001\t1.080,00\t950\n"
)
PINTEREST_FR = (
    "sep=;\nDate;Nom de la campagne;ID de la campagne;ID du compte publicitaire;Dépenses dans la devise du compte\n"
    "26/11/2026;Épingles;626;549;12,34 €\n27/11/2026;Épingles;626;549;1 010,00 €\nTotal;;;;1 022,34 €\n"
)
CRITEO = (
    "Day;Advertiser;Advertiser Id;Campaign;Campaign Id;Currency;Displays;Clicks;Advertiser Cost;Revenue\n"
    "2026-11-26;Acme;123;Retarget;9001;EUR;1000;10;35.2;90\n2026-11-27;Acme;123;Retarget;9001;EUR;1200;11;40.10;80\n"
)
TABOOLA = (
    "Day,Account Name,Account ID,Campaign Name,Campaign ID,Currency,Viewable Impressions,Clicks,Spent,Avg. CPC\n"
    "2026-11-26,Acme,acme-sc,Content,555,USD,1000,20,$12.34,$0.61\n"
    '2026-11-27,Acme,acme-sc,Content,555,USD,1000,20,"$1,112.34",$0.61\n'
)
APPLE = (
    "Custom Report\nDate Range: Nov 26 2026 - Nov 27 2026\n\nDay,Org ID,Org Name,Campaign ID,Campaign Name,"
    "Daily Budget,LOCAL SPEND,LOCAL SPEND CURRENCY\n2026-11-26,77,Acme,1234,Brand,100.00,35.20,USD\n"
    "Totals,,,,,,35.20,USD\n"
)
ACCOUNTING = (
    "Day,Campaign,Campaign ID,Currency,Spend\n"
    '2026-11-26,A,1,USD," $1,234.50 "\n2026-11-26,B,2,USD, $(12.30)\n2026-11-27,A,1,USD, $-   \n'
    'Grand Total,,,," $1,222.20 "\n'
)
REPEATED = (
    "Day,Account ID,Campaign,Campaign ID,Currency code,Cost\n"
    "2026-11-26,77,A,1,EUR,5\n2026-11-26,77,B,2,EUR,5\n2026-11-26,77,A,1,EUR,5\n2026-11-27,77,A,1,EUR,0\n"
    "2026-11-27,77,A,1,EUR,0\n"
)
