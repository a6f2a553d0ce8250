/*
 * Forms of the admin: asks before unsaved work is left, and leads to what is wrong after a refused save.
 *
 * A form is unsaved if it would post something else than when its page was loaded, including rows and the week grid.
 */
(() => {
    "use strict";

    let form = null;
    let loaded = "";
    let isSubmitted = false;

    function entries() {
        const data = [...new FormData(form).entries()].filter(([name]) => name !== "csrfmiddlewaretoken");
        return JSON.stringify(data.map(([name, value]) => [name, value instanceof File ? [value.name, value.size] : value]));
    }

    function isUnsaved() {
        return form !== null && !isSubmitted && (entries() !== loaded || isRefused());
    }

    /* A form that is shown again with errors holds what the person entered, and nothing of it is saved. */
    function isRefused() {
        return document.querySelector("form .campaigns-wrong") !== null;
    }

    function ask(event) {
        if (isUnsaved()) {
            event.preventDefault();
        }
    }

    /* Return what gets the focus for a field: the box of an autocomplete, the first checkbox of a group, or its input. */
    function inputOf(id) {
        const field = document.getElementById(id);
        if (field?.classList.contains("select2-hidden-accessible")) {
            return field.nextElementSibling?.querySelector(".select2-selection") ?? field;
        }
        return field?.matches("input, select, textarea") ? field : field?.querySelector("input") ?? field;
    }

    function goTo(id) {
        const input = inputOf(id);
        input?.closest("details")?.setAttribute("open", "");
        input?.scrollIntoView({ block: "center" });
        return input;
    }

    /* The summary stays in sight above the first wrong field: it sticks to the top. */
    function showErrors() {
        const summary = document.querySelector(".campaigns-wrong");
        if (!summary) {
            return;
        }
        summary.focus({ preventScroll: true });
        const first = summary.querySelector("a[href^='#']");
        if (first) {
            goTo(first.hash.slice(1));
        } else {
            summary.scrollIntoView({ block: "center" });
        }
        summary.addEventListener("click", (event) => {
            const link = event.target.closest("a[href^='#']");
            if (link) {
                event.preventDefault();
                goTo(link.hash.slice(1))?.focus({ preventScroll: true });
            }
        });
    }

    window.campaignsUnsaved = isUnsaved;
    window.addEventListener("load", () => {
        form = document.querySelector(".change-form form[method=post][id$=_form]");
        if (form) {
            loaded = entries();
            form.addEventListener("submit", () => { isSubmitted = true; });
            window.addEventListener("beforeunload", ask);
        }
        showErrors();
    });
    // A page that comes back from the browser's cache has been submitted, but not left for good.
    window.addEventListener("pageshow", (event) => { isSubmitted &&= !event.persisted; });
})();
