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

  // FIPS 180-4: the constants are the fractions of the square and cube roots of the first primes.
  function sha256(text) {
    var bytes = unescape(encodeURIComponent(text));
    var words = [], hash = [], constants = [], i, j;
    for (var candidate = 2; constants.length < 64; candidate++) {
      for (i = 2; i * i <= candidate && candidate % i; i++);
      if (i * i <= candidate) continue;
      if (hash.length < 8) hash.push(fraction(Math.pow(candidate, 1 / 2)));
      constants.push(fraction(Math.pow(candidate, 1 / 3)));
    }
    var length = ((bytes.length + 8) >> 6) * 16 + 16;
    for (i = 0; i < length; i++) words[i] = 0;
    for (i = 0; i < bytes.length; i++) words[i >> 2] |= bytes.charCodeAt(i) << (24 - (i % 4) * 8);
    words[bytes.length >> 2] |= 0x80 << (24 - (bytes.length % 4) * 8);
    words[length - 1] = bytes.length * 8;
    for (i = 0; i < length; i += 16) {
      var w = words.slice(i, i + 16), s = hash.slice();
      for (j = 0; j < 64; j++) {
        if (j > 15) {
          var a = w[j - 15], b = w[j - 2];
          w[j] = (w[j - 16] + (turn(a, 7) ^ turn(a, 18) ^ (a >>> 3)) + w[j - 7] + (turn(b, 17) ^ turn(b, 19) ^ (b >>> 10))) | 0;
        }
        var one = (s[7] + (turn(s[4], 6) ^ turn(s[4], 11) ^ turn(s[4], 25)) + ((s[4] & s[5]) ^ (~s[4] & s[6])) + constants[j] + w[j]) | 0;
        var two = ((turn(s[0], 2) ^ turn(s[0], 13) ^ turn(s[0], 22)) + ((s[0] & s[1]) ^ (s[0] & s[2]) ^ (s[1] & s[2]))) | 0;
        s = [(one + two) | 0, s[0], s[1], s[2], (s[3] + one) | 0, s[4], s[5], s[6]];
      }
      for (j = 0; j < 8; j++) hash[j] = (hash[j] + s[j]) | 0;
    }
    return hash.map(function (word) { return ("0000000" + (word >>> 0).toString(16)).slice(-8); }).join("");
  }

  function fraction(root) { return ((root - Math.floor(root)) * 4294967296) | 0; }
  function turn(word, by) { return (word >>> by) | (word << (32 - by)); }

  function answer(message, origin) {
    var parts = typeof message === "string" ? message.split(" ") : [];
    var dot = parts.length === 2 ? parts[1].indexOf(".") : -1;
    if (dot < 1 || !parts[0]) return "error";
    var salt = parts[1].slice(dot + 1);
    var now = sha256(parts[0] + " " + origin + " " + browserState() + " " + salt);
    return now + "." + salt === parts[1] ? "unchanged" : "changed";
  }

  window.addEventListener("message", function (event) {
    if (event.source) event.source.postMessage(answer(event.data, event.origin), event.origin);
  });
})();
