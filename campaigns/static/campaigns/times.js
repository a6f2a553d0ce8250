/*
 * Times in the viewer's zone, which only the browser knows: in the text of lists over several brands, on hover and focus
 * elsewhere. The format is that of campaigns/rules/times.py.
 */
(() => {
    "use strict";

    const zone = Intl.DateTimeFormat().resolvedOptions().timeZone || "UTC";
    const fields = new Intl.DateTimeFormat("en-GB", { timeZone: zone, hourCycle: "h23", year: "numeric", month: "2-digit", day: "2-digit", hour: "2-digit", minute: "2-digit", second: "2-digit" });
    // Each language knows the abbreviations of its own countries only: CET is British English, EST American.
    const names = ["en-US", "en-GB", "en-AU", "en-NZ", "en-IN", "en-ZA"].map((language) => new Intl.DateTimeFormat(language, { timeZone: zone, timeZoneName: "short" }));

    function partOf(format, date, type) {
        return format.formatToParts(date).find((part) => part.type === type).value;
    }

    // Where these languages have another form than the zone data, which name times on the server: of standard time, then
    // of summer time where a zone has it.
    const NAMES = {
        "JST": "Asia/Tokyo Japan",
        "KST": "Asia/Seoul Asia/Pyongyang ROK",
        "HKT": "Asia/Hong_Kong Hongkong",
        "CST": "Asia/Shanghai Asia/Taipei Asia/Macau Asia/Macao Asia/Chongqing Asia/Chungking Asia/Harbin PRC ROC",
        "PST": "Asia/Manila",
        "PKT": "Asia/Karachi",
        "WIB": "Asia/Jakarta Asia/Pontianak",
        "WITA": "Asia/Makassar Asia/Ujung_Pandang",
        "WIT": "Asia/Jayapura",
        "MSK": "Europe/Moscow Europe/Kirov Europe/Simferopol Europe/Volgograd W-SU",
        "ChST": "Pacific/Guam Pacific/Saipan",
        "SST": "Pacific/Pago_Pago Pacific/Midway Pacific/Samoa US/Samoa",
        "MST": "America/Hermosillo America/Mazatlan America/Whitehorse America/Dawson Canada/Yukon Mexico/BajaSur",
        "GMT BST": "Europe/Guernsey Europe/Isle_of_Man Europe/Jersey",
        "GMT IST": "Europe/Dublin Eire",
        "IST IDT": "Asia/Jerusalem Asia/Tel_Aviv Israel",
        "CST CDT": "America/Havana Cuba CST6CDT",
        "EST EDT": "EST5EDT",
        "MST MDT": "MST7MDT",
        "PST PDT": "PST8PDT",
        "NST NDT": "America/St_Johns Canada/Newfoundland",
        "HST HDT": "America/Adak America/Atka US/Aleutian",
        "GMT": "GMT Etc/GMT GMT+0 GMT-0 GMT0",
        "UTC+0 UTC+2": "Antarctica/Troll",
        "UTC+4": "Asia/Dubai Asia/Muscat",
        "UTC+5:30": "Asia/Colombo",
        "UTC+8": "Antarctica/Casey",
        "UTC+8:45": "Australia/Eucla",
        "UTC+10:30 UTC+11": "Australia/Lord_Howe Australia/LHI",
        "UTC+12:45 UTC+13:45": "Pacific/Chatham NZ-CHAT",
    };
    const own = Object.keys(NAMES).find((key) => NAMES[key].split(" ").includes(zone))?.split(" ");
    const offsets = new Intl.DateTimeFormat("en-US", { timeZone: zone, timeZoneName: "longOffset" });

    /* Return whether the zone's clocks are ahead of its standard time. */
    function isSummer(date) {
        const minutes = (each) => {
            const [, sign, hours, rest] = partOf(offsets, each, "timeZoneName").match(/([+-])(\d\d):(\d\d)/) ?? [0, "+", 0, 0];
            return Number(`${sign}1`) * (60 * Number(hours) + Number(rest));
        };
        const halves = [0, 6].map((month) => minutes(new Date(Date.UTC(date.getUTCFullYear(), month, 15))));
        return minutes(date) > Math.min(...halves);
    }

    function label(date) {
        if (own) {
            return own.at(own.length > 1 && isSummer(date) ? 1 : 0);
        }
        const found = names.map((format) => partOf(format, date, "timeZoneName"));
        return found.find((name) => /^[A-Z]+$/.test(name)) ?? found[0].replace("GMT", "UTC").replace("\u2212", "-");
    }

    function shown(date, unit) {
        const of = (type) => partOf(fields, date, type);
        const clock = `${of("hour")}:${of("minute")}${unit === "minute" ? "" : `:${of("second")}`} ${label(date)}`;
        return unit === "clock" ? clock : `${of("year")}-${of("month")}-${of("day")} ${clock}`;
    }

    /* Show the viewer's time, and the brand's beneath only where it is another one. */
    function convert(time) {
        time.textContent = shown(new Date(time.dateTime), time.dataset.viewer);
        const beneath = time.nextElementSibling;
        const brand = beneath?.textContent.match(/\d{4}-\d\d-\d\d [\d:]+/);
        if (brand) {
            beneath.hidden = time.textContent.startsWith(brand[0]);
        }
    }

    function convertAll() {
        document.querySelectorAll("time[data-viewer]").forEach(convert);
    }

    function showOwnTime(event) {
        const time = event.target.closest?.("time[datetime]:not([data-viewer])");
        if (time && !time.title) {
            time.title = `${shown(new Date(time.dateTime), "second")}, your time`;
        }
    }

    document.addEventListener("DOMContentLoaded", convertAll);
    document.addEventListener("campaigns:refreshed", convertAll);
    document.addEventListener("pointerover", showOwnTime);
    document.addEventListener("focusin", showOwnTime);
})();
