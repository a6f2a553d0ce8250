/* The filters that open over a list: the theme leaves the focus on the page behind them. They take the focus, keep it
   while they are open, and give it back when they close. */
(() => {
    "use strict";

    const FOCUSABLE = "a[href], button, input:not([type='hidden']), select, textarea, [tabindex='0']";

    function start() {
        const box = document.getElementById("changelist-filter");
        if (!box) {
            return;
        }
        let isOpen = false;
        let openedBy = null;

        /* On a wide screen some lists have their filters beside them, which isn't a dialogue. */
        const isDialogue = () => {
            const style = getComputedStyle(box);
            return style.display !== "none" && style.position === "fixed";
        };
        // The theme's scroll area has a tab stop of its own; what it holds is reached without it.
        const isStop = (element) =>
            element.checkVisibility() && element.tabIndex >= 0 && !element.disabled && !element.matches(".simplebar-content-wrapper");
        const stops = () => [...box.querySelectorAll(FOCUSABLE)].filter(isStop);

        function toggle() {
            if (isDialogue() === isOpen) {
                return;
            }
            isOpen = !isOpen;
            if (isOpen) {
                box.setAttribute("role", "dialog");
                box.setAttribute("aria-label", "Filters");
                openedBy = document.activeElement;
                stops()[0]?.focus();
            } else {
                box.removeAttribute("role");
                box.removeAttribute("aria-label");
                openedBy?.focus();
            }
        }

        box.addEventListener("keydown", (event) => {
            const all = stops();
            const [from, to] = event.shiftKey ? [all[0], all.at(-1)] : [all.at(-1), all[0]];
            if (event.key === "Tab" && isOpen && event.target === from) {
                event.preventDefault();
                to.focus();
            }
        });
        new MutationObserver(toggle).observe(box, { attributes: true, attributeFilter: ["style"] });
    }

    document.addEventListener("DOMContentLoaded", start);
})();
