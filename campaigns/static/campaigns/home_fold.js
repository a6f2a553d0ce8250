/* On a phone, what doesn't need attention is folded; without scripts everything is open. A link to a folded part opens it. */
(() => {
    "use strict";

    if (window.matchMedia("(max-width: 640px)").matches) {
        for (const details of document.querySelectorAll("details.home-fold")) {
            details.open = false;
        }
    }
    document.addEventListener("click", (event) => {
        const hash = event.target.closest("a[href^='#']")?.hash.slice(1);
        const part = hash && document.getElementById(hash);
        if (part instanceof HTMLDetailsElement) {
            part.open = true;
        }
    });
})();
