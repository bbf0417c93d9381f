(function () {
  "use strict";
  var cookie = document.documentElement.getAttribute("data-cookie") + "=";

  function browserState() {
    var pairs = document.cookie.split("; ");
    for (var i = 0; i < pairs.length; i++) {
      if (pairs[i].indexOf(cookie) === 0) return pairs[i].slice(cookie.length);
    }
    return "";
  }

  // Where the browser keeps our cookies back from this frame, "no state" says nothing about the session. It keeps back what
  // is written here, too. Frames that have a jar of their own for each site around them write and read it, and cannot be
  // told from those of a person who has logged out.
  function mayRead() {
    if (!navigator.cookieEnabled) return false;
    var probe = "__Host-postern-probe=1";
    document.cookie = probe + "; Path=/; Secure; SameSite=None";
    var kept = document.cookie.split("; ").indexOf(probe) >= 0;
    document.cookie = probe + "; Path=/; Secure; SameSite=None; Max-Age=0";
    return kept;
  }

  function hex(hash) {
    return Array.from(new Uint8Array(hash), function (byte) { return ("0" + byte.toString(16)).slice(-2); }).join("");
  }

  // "client_id session_state", where session_state ends in its salt.
  function read(message) {
    var parts = typeof message === "string" ? message.split(" ") : [];
    var dot = parts.length === 2 ? parts[1].indexOf(".") : -1;
    return dot < 1 || !parts[0] ? null : { client: parts[0], state: parts[1], salt: parts[1].slice(dot + 1) };
  }

  window.addEventListener("message", function (event) {
    if (!event.source) return;
    var asked = read(event.data);
    function answer(word) { event.source.postMessage(word, event.origin); }
    if (!asked || !window.crypto || !crypto.subtle) return answer("error");
    var state = browserState();
    if (!state && !mayRead()) return answer("error");
    var text = [asked.client, event.origin, state, asked.salt].join(" ");
    crypto.subtle.digest("SHA-256", new TextEncoder().encode(text)).then(function (hash) {
      answer(hex(hash) + "." + asked.salt === asked.state ? "unchanged" : "changed");
    }, function () { answer("error"); });
  });
})();
