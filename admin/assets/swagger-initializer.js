"use strict";

// Shows the description that the page names. Nothing is asked of other hosts: no validator, no fonts.
const element = document.getElementById("swagger-ui");

window.ui = SwaggerUIBundle({
  domNode: element,
  url: element.dataset.description,
  validatorUrl: null,
  deepLinking: true,
  displayRequestDuration: true,
  docExpansion: "list",
  defaultModelsExpandDepth: 0,
  persistAuthorization: false,
  presets: [SwaggerUIBundle.presets.apis],
  layout: "BaseLayout",
});
