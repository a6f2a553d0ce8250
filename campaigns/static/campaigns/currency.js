/* The currency beside amounts follows what is entered: the currency of a brand's form, the brand of a campaign's form. */
(() => {
    "use strict";

    function show(code) {
        document.querySelectorAll(".campaigns-currency").forEach((beside) => { beside.textContent = code; });
    }

    /* Return the code that is entered, by itself or by the name of its currency; empty for anything else. */
    function codeOf(input) {
        const entered = input.value.trim().toLowerCase();
        const found = [...(input.list?.options ?? [])].find((option) => [option.value, option.label, option.textContent].some((text) => text.trim().toLowerCase() === entered));
        return found?.value ?? "";
    }

    async function ofBrand(select) {
        const address = `${select.dataset.currency}?brand=${encodeURIComponent(select.value)}`;
        try {
            const answer = await fetch(address, { headers: { Accept: "application/json" } });
            const { currency } = await answer.json();
            if (answer.ok && address.endsWith(`=${encodeURIComponent(select.value)}`)) {
                show(currency);
            }
        } catch {
            show(""); // the server is away, or the session has ended: an empty label rather than a wrong one
        }
    }

    window.addEventListener("load", () => {
        const input = document.querySelector("form input[name=currency][list]");
        input?.addEventListener("input", () => show(codeOf(input)));
        const select = document.querySelector("form select[data-currency]");
        // The theme's box for choices reports changes by jQuery only.
        if (select) {
            window.django?.jQuery(select).on("change", () => ofBrand(select));
        }
        if (select?.value && !document.querySelector(".campaigns-currency")?.textContent) {
            ofBrand(select);
        }
    });
})();
