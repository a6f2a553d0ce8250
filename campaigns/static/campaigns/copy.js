/* A button that copies the text of another element, named by data-copy. Without scripts the text can be selected. */
(() => {
    "use strict";

    async function copy(source) {
        const said = document.getElementById(`${source.id}_copied`);
        try {
            await navigator.clipboard.writeText(source.textContent);
            said.textContent = "Copied.";
        } catch {
            window.getSelection().selectAllChildren(source); // browsers copy by themselves over HTTPS only
            said.textContent = "Selected: copy it with Ctrl+C.";
        }
    }

    for (const button of document.querySelectorAll("[data-copy]")) {
        button.hidden = false;
        button.addEventListener("click", () => copy(document.getElementById(button.dataset.copy)));
    }
})();
