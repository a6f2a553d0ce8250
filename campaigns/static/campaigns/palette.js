/* The search over everything: Ctrl+K or the button opens it; arrows choose, Enter opens the page. */
(() => {
    "use strict";

    /* Milliseconds without a key after which it searches. */
    const PAUSE = 200;

    function start() {
        const dialog = document.getElementById("palette");
        if (!dialog) {
            return;
        }
        const input = dialog.querySelector("input");
        const options = dialog.querySelector("[data-palette-options]");
        const status = dialog.querySelector("[data-palette-status]");
        let timer = 0;
        let asking = null;
        let shown = ""; // the text whose results are shown
        let wanted = null; // Enter was pressed before they came

        const all = () => [...options.querySelectorAll("[role=option]")];
        const chosen = () => options.querySelector("[aria-selected=true]");

        function choose(option) {
            chosen()?.setAttribute("aria-selected", "false");
            option?.setAttribute("aria-selected", "true");
            option?.scrollIntoView({ block: "nearest" });
            if (option) {
                input.setAttribute("aria-activedescendant", option.id);
            } else {
                input.removeAttribute("aria-activedescendant");
            }
        }

        function move(step) {
            const list = all();
            if (list.length) {
                choose(list[(list.indexOf(chosen()) + step + list.length) % list.length]);
            }
        }

        function show(html, message) {
            options.innerHTML = html;
            const told = options.querySelector("[data-palette-message]");
            status.textContent = message ?? told?.textContent ?? "";
            told?.remove();
            input.setAttribute("aria-expanded", String(all().length > 0));
            choose(all()[0]);
        }

        async function search() {
            asking?.abort();
            const text = input.value.trim();
            if (!text) {
                shown = "";
                show('<div role="listbox" id="palette-list" aria-label="Results"></div>', "");
                return;
            }
            asking = new AbortController();
            try {
                const address = `${dialog.dataset.address}?${new URLSearchParams({ s: text })}`;
                const response = await fetch(address, { signal: asking.signal, redirect: "error" });
                if (!response.ok) {
                    throw new Error(response.statusText);
                }
                show(await response.text());
                shown = text;
            } catch (error) {
                if (error.name === "AbortError") {
                    return;
                }
                shown = "";
                show('<div role="listbox" id="palette-list" aria-label="Results"></div>', "The search failed. Reload the page.");
            }
            if (wanted) {
                const { newTab } = wanted;
                wanted = null;
                follow(newTab);
            }
        }

        function follow(newTab) {
            const link = chosen();
            if (!link) {
                return;
            }
            if (newTab) {
                window.open(link.href, "_blank", "noopener");
            } else {
                window.location.assign(link.href);
            }
        }

        function enter(newTab) {
            if (shown === input.value.trim()) {
                follow(newTab);
            } else {
                wanted = { newTab };
                clearTimeout(timer);
                search();
            }
        }

        function open() {
            if (!dialog.open) {
                dialog.showModal();
            }
            input.focus();
            input.select();
        }

        input.addEventListener("input", () => {
            wanted = null;
            clearTimeout(timer);
            timer = setTimeout(search, PAUSE);
        });
        input.addEventListener("keydown", (event) => {
            const keys = { ArrowDown: () => move(1), ArrowUp: () => move(-1), Enter: () => enter(event.ctrlKey || event.metaKey) };
            if (keys[event.key] && !event.isComposing) {
                event.preventDefault();
                keys[event.key]();
            }
            // A search field takes the first Escape to empty itself.
            if (event.key === "Escape") {
                event.preventDefault();
                dialog.close();
            }
        });
        // The box fills the dialog, so what is clicked outside of it is the dialog itself.
        dialog.addEventListener("click", (event) => event.target === dialog && dialog.close());
        document.addEventListener("keydown", (event) => {
            if ((event.ctrlKey || event.metaKey) && !event.altKey && !event.shiftKey && event.key.toLowerCase() === "k") {
                event.preventDefault();
                open();
            }
        });
        document.addEventListener("click", (event) => event.target.closest("[data-palette-open]") && open());
    }

    if (document.readyState === "loading") {
        document.addEventListener("DOMContentLoaded", start);
    } else {
        start();
    }
})();
