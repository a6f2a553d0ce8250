/* Times stand in the brand's zone. Whoever points at one is told what it is on their own clock. */
(() => {
    "use strict";

    const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
    const clock = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "medium" });

    function tell(event) {
        const time = event.target.closest?.("time[datetime]");
        if (time && !time.title) {
            time.title = `${clock.format(new Date(time.dateTime))} on your clock (${zone})`;
        }
    }

    document.addEventListener("pointerover", tell);
    document.addEventListener("focusin", tell);
})();
