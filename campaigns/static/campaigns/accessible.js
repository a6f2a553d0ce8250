/* Accessible names that the theme's widgets lack: for autocomplete boxes, and their hints. */
(() => {
    "use strict";

    function labelOf(select) {
        const label = select && document.querySelector(`label[for="${CSS.escape(select.id)}"]`);
        const text = label ? label.textContent : select?.getAttribute("aria-label");
        return (text || "Choice").replaceAll("*", "").trim();
    }

    /* Name a select2 box by its label and its value; without this it has no name while it is empty. */
    function nameChoice(box) {
        const shown = box.querySelector(".select2-selection__rendered");
        const select = box.closest(".select2-container")?.previousElementSibling;
        if (!shown || !(select instanceof HTMLSelectElement)) {
            return;
        }
        const chosen = [...select.selectedOptions].map((option) => option.textContent.trim()).filter(Boolean);
        const name = `${labelOf(select)}: ${chosen.join(", ") || "nothing chosen"}`;
        // A box for several values is a list, with its search field and what isn't an item inside.
        const isList = shown instanceof HTMLUListElement;
        if (isList) {
            [shown, ...shown.children].forEach((element) => element.setAttribute("role", "presentation"));
        }
        for (const element of [box, isList ? box.querySelector(".select2-search__field") : shown].filter(Boolean)) {
            if (element.getAttribute("aria-label") !== name) {
                element.setAttribute("aria-label", name);
            }
        }
    }

    /* Name the box that selects a row by what the row is about; the theme names all of them alike. */
    function nameRowBox(row) {
        const box = row.querySelector("input.action-select");
        const name = row.querySelector("th a")?.textContent.trim();
        if (box && name && box.getAttribute("aria-label") !== `Select ${name}`) {
            box.setAttribute("aria-label", `Select ${name}`);
        }
    }

    function nameAll() {
        document.querySelectorAll("#result_list tr.data-row").forEach(nameRowBox);
        document.querySelectorAll(".select2-selection").forEach(nameChoice);
        document.querySelectorAll(".help-tooltip[aria-label]:not([role])").forEach((hint) => {
            hint.setAttribute("role", "img");
        });
    }

    let waiting = 0;
    new MutationObserver(() => {
        waiting ||= requestAnimationFrame(() => {
            waiting = 0;
            nameAll();
        });
    }).observe(document.documentElement, { childList: true, subtree: true });
})();
