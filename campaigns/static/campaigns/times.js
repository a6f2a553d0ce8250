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

    function label(date) {
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
