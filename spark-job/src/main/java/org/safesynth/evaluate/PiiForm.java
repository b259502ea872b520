package org.safesynth.evaluate;

import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.regex.Pattern;

/** Personal data that is known by its form alone. */
enum PiiForm {
  EMAIL("[\\w.+-]{1,64}@[\\w-]+(\\.[\\w-]+)+"),
  SSN("\\d{3}-\\d{2}-\\d{4}"),
  CREDIT_CARD_NUMBER("\\d{4}([ -]?)\\d{4}\\1\\d{4}\\1\\d{1,7}|3[47]\\d{2}[ -]?\\d{6}[ -]?\\d{5}"),
  IPV4("((25[0-5]|2[0-4]\\d|1?\\d?\\d)\\.){3}(25[0-5]|2[0-4]\\d|1?\\d?\\d)"),
  IBAN("[A-Z]{2}\\d{2}[A-Z0-9]{11,30}"),
  PHONE_NUMBER("(\\+\\d{1,3}[ .-]?)?(\\(\\d{2,4}\\)[ .-]?|\\d{2,4}[ .-])\\d{3,4}[ .-]\\d{3,5}"),
  URL("https?://\\S+");

  private static final int LONGEST = 256;
  private final Pattern pattern;

  PiiForm(String pattern) {
    this.pattern = Pattern.compile(pattern);
  }

  String entity() {
    return name().toLowerCase(Locale.ROOT);
  }

  static List<String> names() {
    return Arrays.stream(values()).map(PiiForm::entity).toList();
  }

  /** The form of a whole text. */
  static Optional<PiiForm> of(String text) {
    if (text.length() > LONGEST) {
      return Optional.empty();
    }
    return Arrays.stream(values())
        .filter(form -> form.pattern.matcher(text).matches())
        .filter(form -> form != CREDIT_CARD_NUMBER || passesLuhn(text))
        .findFirst();
  }

  /** The check digit of payment cards. */
  private static boolean passesLuhn(String text) {
    int sum = 0;
    int place = 0;
    for (int i = text.length() - 1; i >= 0; i--) {
      int digit = Character.digit(text.charAt(i), 10);
      if (digit >= 0) {
        int twice = place++ % 2 == 1 ? 2 * digit : digit;
        sum += twice > 9 ? twice - 9 : twice;
      }
    }
    return place > 0 && sum % 10 == 0;
  }
}
