# Writes the files of the demo into the folder "dir": invented people and
# companies, numbers that are kept free for fiction (area code 555-0100 to
# 555-0199), addresses under example.com.  The same files every time.
#
#   awk -f generate.awk -v dir=/some/folder
#
# fair.csv  14,000 people, 200 of them twice, and 12 rows that are wrong
# web.csv    8,000 people, 2,000 of whom are in fair.csv as well
# dnc.txt    2,000 numbers: 400 of those people, 1,580 others, 20 that are none

function random(n) { # 0..n-1, Park and Miller's generator
    seed = (seed * 16807) % 2147483647
    return int(seed / 2147483647 * n)
}

function pick(list) { return list[random(list[0]) + 1] }

function fill(list, text, separator,    n) {
    n = split(text, list, separator)
    list[0] = n
}

function phone(person, style,    area, line) {
    area = areas[int(person / 100) + 1]
    line = sprintf("01%02d", person % 100)
    if (style == 0) return "(" area ") 555-" line
    if (style == 1) return area "-555-" line
    if (style == 2) return area ".555." line
    return "+1 " area " 555 " line
}

# The same person, whichever file and however often.
function describe(person) {
    seed = 7919 + person * 104729
    random(2); random(2)
    first = pick(firsts)
    last = pick(starts) pick(ends)
    word = pick(words)
    company = word " " pick(kinds)
    domain = tolower(word) ".example.com"
    email = tolower(first "." last) person "@" domain
    size = pick(sizes)
    industry = pick(industries)
    inquiry = pick(inquiries)
    timeline = pick(timelines)
    state = pick(states)
}

function row(style, booth) {
    return first "," last ",\"" company ", " state "\"," email "," phone(person, style) "," \
        size "," industry "," inquiry "," timeline "," booth
}

BEGIN {
    fill(areas, "201 202 203 205 206 207 208 209 210 212 213 214 215 216 217 218 219 220 " \
        "223 224 225 228 229 231 234 239 240 248 251 252 253 254 256 260 262 267 269 270 " \
        "272 276 279 281 283 301 302 303 304 305 307 308 309 310 312 313 314 315 316 317 " \
        "318 319 320 321 323 325 326 330 331 332 334 336 337 339 340 341 346 347 351 352 " \
        "360 361 364 380 385 386 401 402 404 405 406 407 408 409 410 412 413 414 415 417 " \
        "419 423 424 425 430 432 434 435 440 442 443 445 447 448 458 463 464 469 470 475 " \
        "478 479 480 484 501 502 503 504 505 507 508 509 510 512 513 515 516 517 518 520 " \
        "530 531 534 539 540 541 551 559 561 562 563 564 567 570 571 572 573 574 575 580 " \
        "582 585 586 601 602 603 605 606 607 608 609 610 612 614 615 616 617 618 619 620 " \
        "623 626 628 629 630 631 636 640 641 646 650 651 656 657 659 660 661 662 667 669 " \
        "678 680 681 682 689 701 702 703 704 706 707 708 712 713 714 715 716 717 718 719 " \
        "720 724 725 726 727 731 732 734 737 740 743 747 754 757 760 762 763 765 769 770", " ")
    fill(firsts, "Ada Basil Cleo Dorian Edda Fabian Greta Hugo Ilse Jonas Kaia Leopold Mina " \
        "Nestor Odile Piet Quincy Rhea Silas Thea Ulla Viktor Wanda Xenia Yorick Zora", " ")
    fill(starts, "Bram Cald Dun Elder Fen Gal Hol Ives Kest Lor Mar Nor Os Pem Quil Rav Sel Tarn Um Wex", " ")
    fill(ends, "beck combe dale ford grave holt ley mond nard rick stow tane vale wick", " ")
    fill(words, "Amberline Bluegate Copperleaf Driftwell Eastmere Fernhollow Glasswing Harborlight " \
        "Ironbark Juniperfield Kestrelway Lanternhill Mossbridge Northquay Oakenfold", " ")
    fill(kinds, "Labs,Works,Supply,Partners,Systems,Foods,Media,Group", ",")
    fill(sizes, "1-10,11-50,51-200,201-1000,1000+", ",")
    fill(industries, "Software/SaaS,Marketing/Advertising,Financial Services,Healthcare," \
        "Professional Services,Manufacturing,Retail/E-commerce,Education,Non-Profit,Other", ",")
    fill(inquiries, "Demo Request,Pricing Information,Contact Sales,General Question," \
        "Partnership Inquiry,Content Download", ",")
    fill(timelines, "Immediate,1-3 months,3-6 months,6-12 months,Just Researching", ",")
    fill(states, "Ohio,Texas,Iowa,Maine,Utah,Oregon,Nevada,Kansas", ",")
    header = "First Name,Last Name,Company,Email,Phone,Company Size,Industry,Inquiry Type," \
        "Budget Timeline,"

    fair = dir "/fair.csv"
    print header "Booth" > fair
    for (person = 0; person < 14000; person++) {
        describe(person)
        print row(person % 4, "B" person % 40) > fair
        if (person % 70 == 69) # some came twice, and were written down another way
            print row((person + 1) % 4, "B" person % 40) > fair
        if (person % 1166 == 1165) { # and some rows are wrong
            wrong = (person + 1) / 1166
            if (wrong % 3 == 0) print "Nobody,Atall,No Number Inc,," "555-01" ",,,,,B1" > fair
            if (wrong % 3 == 1) print "Nobody,Atall,No Address Inc,nobody at example,,,,,,B1" > fair
            if (wrong % 3 == 2) print "Nobody,Atall,Big Inc,,(212) 555-01" 70 + wrong ",enormous,,,,B1" > fair
        }
    }

    web = dir "/web.csv"
    print header "Landing Page" > web
    for (person = 12000; person < 20000; person++) {
        describe(person)
        timeline = person < 14000 ? "Immediate" : timeline
        print row(3, "/offer-" person % 7) > web
    }

    dnc = dir "/dnc.txt"
    for (person = 25; person < 20000; person += 50) print phone(person, 1) > dnc
    for (person = 20000; person < 21580; person++) print phone(person, person % 4) > dnc
    for (i = 1; i <= 20; i++) print "ext. " i > dnc
}
