/* Times are shown in the brand's time zone; on hover and focus, also in the viewer's. */
(() => {
    "use strict";

    const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
    const clock = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "medium" });

    function showOwnTime(event) {
        const time = event.target.closest?.("time[datetime]");
        if (time && !time.title) {
            time.title = `${clock.format(new Date(time.dateTime))} your time (${zone})`;
        }
    }

    document.addEventListener("pointerover", showOwnTime);
    document.addEventListener("focusin", showOwnTime);
})();
